// The browser part of the gradients by layer; base.js stands in front of it. It draws what view_of() describes.

const GL_UP = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶" };

export default courseWidget("Gradient by layer", (stage, send) => {
  let depths = [];
  const depth = slider({
    label: "layers",
    format: (place) => String(depths[place] ?? ""),
    onInput: (place) => send("set", { depth: depths[place] }),
  });
  const norm = choice({
    label: "batch normalization",
    options: [["on", "on"], ["off", "off"]],
    onInput: (value) => send("set", { batchnorm: value === "on" }),
  });
  const seed = stepper({ label: "seed", onInput: (value) => send("set", { seed: value }) });
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 340, 52, 12, 32, 50];
  const chart = svg("svg", { class: "gl-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const facts = element("dl", { class: "gl-facts" });
  const notes = element("div", { class: "gl-notes" });
  stage.append(element("div", { class: "cnn-controls" }, depth.node, norm.node, seed.node), chart, facts, notes);

  const text = (x, y, words, anchor) => svg("text", { class: "gl-tick", x, y, "text-anchor": anchor }, words);
  const ten = (power) => (power === 0 ? "1" : `10${[...String(power)].map((sign) => GL_UP[sign]).join("")}`);

  return (view) => {
    depths = view.depths;
    depth.update(depths.indexOf(view.depth), { min: 0, max: depths.length - 1 });
    depth.input.setAttribute("aria-valuetext", `${view.depth} layers`);
    norm.update(view.batchnorm ? "on" : "off");
    seed.update(view.seed[0], { min: view.seed[1], max: view.seed[2] });
    const [low, high] = view.range;
    const count = view.lines[0].powers.length;
    const floor = HEIGHT - BOTTOM;
    const x = (place) => LEFT + 14 + (place / (count - 1)) * (WIDTH - LEFT - RIGHT - 28);
    const y = (power) => floor - ((power - low) / (high - low)) * (floor - TOP);
    const nodes = [text(0, 12, "norm of ∂L/∂w of each convolution, before training", "start")];
    for (let tick = low; tick <= high; tick += 2) {
      nodes.push(svg("line", { class: "gl-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
      nodes.push(text(LEFT - 6, y(tick) + 4, ten(tick), "end"));
    }
    const step = count > 20 ? 6 : count > 8 ? 3 : 1;
    for (let layer = 1; layer <= count; layer += step) nodes.push(text(x(layer - 1), floor + 17, String(layer), "middle"));
    nodes.push(text(WIDTH / 2, HEIGHT - 3, "convolution, from the picture to the logits", "middle"));
    for (const { kind, powers } of view.lines) {
      const points = powers.map((power, place) => [x(place).toFixed(1), y(power).toFixed(1)]);
      nodes.push(svg("polyline", { class: `gl-line gl-${kind}`, "data-line": kind, points: points.join(" ") }));
      for (const [cx, cy] of points) {
        nodes.push(
          kind === "plain"
            ? svg("rect", { class: `gl-dot gl-${kind}`, x: cx - 3.5, y: cy - 3.5, width: 7, height: 7 })
            : svg("circle", { class: `gl-dot gl-${kind}`, cx, cy, r: 4 }),
        );
      }
    }
    chart.setAttribute("aria-label", view.status);
    chart.replaceChildren(...nodes);
    facts.replaceChildren(
      ...view.facts.map(([kind, first, last]) =>
        element(
          "div",
          {},
          element("dt", { class: `gl-key gl-${kind}` }, `${kind === "plain" ? "■" : "●"} ${kind}: first, last convolution`),
          element("dd", { "data-fact": kind }, `${first}, ${last}`),
        ),
      ),
    );
    notes.replaceChildren(
      ...view.notes.map(({ text: said, wrong }) =>
        element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${said}`),
      ),
    );
  };
});
