// The browser part of the score by dimension; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("The score by the number of inputs", (stage, send) => {
  let dimensions = [];
  let epsilons = [];
  const dimension = slider({
    label: "number of inputs, D",
    format: (place) => (dimensions[place] ?? 0).toLocaleString("en"),
    onInput: (place) => send("set", { dimension: dimensions[place] }),
  });
  const epsilon = slider({
    label: "ε, largest change of an input",
    format: (place) => String(epsilons[place] ?? ""),
    onInput: (place) => send("set", { epsilon: epsilons[place] }),
  });
  const draw = stepper({ label: "draw", onInput: (value) => send("set", { draw: value }) });
  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 340, 52, 120, 30, 50];
  const [LEAST, MOST, FARTHEST] = [-4, 3, 6]; // powers of ten: of changes, and of D
  const chart = svg("svg", { class: "sd-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const numbers = element("dl", { class: "sd-numbers" });
  const notes = element("div", { class: "sd-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls sd-controls" }, dimension.node, epsilon.node, draw.node),
    chart,
    numbers,
    notes,
  );
  const text = (x, y, words, anchor, kind = "sd-tick") => svg("text", { class: kind, x, y, "text-anchor": anchor }, words);

  return (view) => {
    ({ dimensions, epsilons } = view);
    const place = dimensions.indexOf(view.dimension);
    dimension.update(place, { min: 0, max: dimensions.length - 1 });
    dimension.input.setAttribute("aria-valuetext", `${view.dimension} inputs`);
    epsilon.update(epsilons.indexOf(view.epsilon), { min: 0, max: epsilons.length - 1 });
    epsilon.input.setAttribute("aria-valuetext", String(view.epsilon));
    draw.update(view.draw[0], { min: view.draw[1], max: view.draw[2] });

    const floor = HEIGHT - BOTTOM;
    const x = (count) => LEFT + (Math.log10(count) / FARTHEST) * (WIDTH - LEFT - RIGHT);
    const y = (size) => {
      const power = Math.min(MOST, Math.max(LEAST, Math.log10(Math.max(size, 1e-9))));
      return floor - ((power - LEAST) / (MOST - LEAST)) * (floor - TOP);
    };
    const nodes = [text(0, 13, "size of the score, and of its change", "start")];
    for (let power = LEAST; power <= MOST; power += 1) {
      const level = y(10 ** power);
      nodes.push(svg("line", { class: "sd-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: level, y2: level }));
      nodes.push(text(LEFT - 6, level + 4, power < 0 ? String(10 ** power) : (10 ** power).toLocaleString("en"), "end"));
    }
    for (let power = 0; power <= FARTHEST; power += 1) {
      nodes.push(text(x(10 ** power), floor + 18, (10 ** power).toLocaleString("en"), "middle"));
    }
    nodes.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, "number of inputs", "middle"));
    nodes.push(svg("line", { class: "sd-chosen", x1: x(view.dimension), x2: x(view.dimension), y1: TOP, y2: floor }));
    for (const [kind, name] of [["random", "random signs"], ["aimed", "aimed"], ["scores", "the score"]]) {
      const points = view[kind].map((size, i) => [x(dimensions[i]).toFixed(1), y(size).toFixed(1)]);
      if (kind !== "scores") {
        nodes.push(svg("polyline", { class: `sd-line sd-${kind}`, points: points.map((p) => p.join(",")).join(" ") }));
      }
      points.forEach(([cx, cy], i) => {
        const own = { class: `sd-dot sd-${kind}${i === place ? " sd-here" : ""}`, "data-size": view[kind][i] };
        nodes.push(
          kind === "aimed"
            ? svg("circle", { ...own, cx, cy, r: i === place ? 6.5 : 4 })
            : kind === "random"
              ? svg("rect", { ...own, x: cx - 4, y: cy - 4, width: 8, height: 8 })
              : svg("path", { ...own, d: `M${cx - 5},${cy - 5}l10,10m0,-10l-10,10` }),
        );
      });
      const [endX, endY] = points.at(-1);
      nodes.push(text(Number(endX) + 14, Number(endY) + 4, name, "start", `sd-name sd-${kind}`));
    }
    chart.setAttribute("aria-label", view.status);
    chart.replaceChildren(...nodes);
    numbers.replaceChildren(
      ...view.numbers.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", { "data-number": name }, value)),
      ),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
