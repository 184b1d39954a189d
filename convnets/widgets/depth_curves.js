// The browser part of the depth curves; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Plain against residual by depth", (stage, send) => {
  let depths = [];
  const depth = slider({
    label: "layers",
    format: (place) => String(depths[place] ?? ""),
    onInput: (place) => send("set", { depth: depths[place] }),
  });
  const measure = choice({
    label: "error on",
    options: [["train", "training pictures"], ["test", "test pictures"]],
    onInput: (value) => send("set", { measure: value }),
  });
  const id = freshId();
  const others = element("input", { id, type: "checkbox", onchange: () => send("set", { others: others.checked }) });
  const box = element("label", { class: "dc-box", for: id }, others, " other depths behind");

  const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 340, 44, 12, 32, 50];
  const chart = svg("svg", { class: "dc-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const legend = element("dl", { class: "dc-legend" });
  stage.append(element("div", { class: "cnn-controls dc-controls" }, depth.node, measure.node, box), chart, legend);

  const text = (x, y, words, anchor) => svg("text", { class: "dc-tick", x, y, "text-anchor": anchor }, words);

  return (view) => {
    depths = view.depths;
    depth.update(depths.indexOf(view.depth), { min: 0, max: depths.length - 1 });
    depth.input.setAttribute("aria-valuetext", `${view.depth} layers`);
    measure.update(view.measure);
    others.checked = view.others;
    const epochs = view.lines[0].errors.length;
    const floor = HEIGHT - BOTTOM;
    const x = (epoch) => LEFT + 14 + ((epoch - 1) / (epochs - 1)) * (WIDTH - LEFT - RIGHT - 28);
    const y = (error) => floor - (error / 100) * (floor - TOP);
    const nodes = [svg("text", { class: "dc-tick", x: 0, y: 12 }, view.title)];
    for (const tick of [0, 20, 40, 60, 80, 100]) {
      nodes.push(svg("line", { class: "dc-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
      nodes.push(text(LEFT - 6, y(tick) + 4, String(tick), "end"));
    }
    for (let epoch = 1; epoch <= epochs; epoch += 1) nodes.push(text(x(epoch), floor + 17, String(epoch), "middle"));
    nodes.push(text(WIDTH / 2, HEIGHT - 3, "epoch", "middle"));
    for (const line of view.lines) {
      const kind = `dc-${line.kind}${line.chosen ? " dc-chosen" : ""}`;
      const points = line.errors.map((error, place) => [x(place + 1).toFixed(1), y(error).toFixed(1)]);
      nodes.push(
        svg(
          "polyline",
          { class: `dc-line ${kind}`, "data-line": `${line.kind}-${line.depth}-${line.seed}`, points: points.join(" ") },
          svg("title", {}, `${line.kind}, ${line.depth} layers, seed ${line.seed}`),
        ),
      );
      if (!line.chosen) continue;
      for (const [cx, cy] of points) {
        nodes.push(
          line.kind === "plain"
            ? svg("rect", { class: `dc-dot ${kind}`, x: cx - 4, y: cy - 4, width: 8, height: 8 })
            : svg("circle", { class: `dc-dot ${kind}`, cx, cy, r: 4.5 }),
        );
      }
    }
    chart.setAttribute("aria-label", view.status);
    chart.replaceChildren(...nodes);
    legend.replaceChildren(
      ...view.last.map(([kind, words]) =>
        element(
          "div",
          {},
          element("dt", { class: `dc-key dc-${kind}` }, `${kind === "plain" ? "■" : "●"} ${kind}, ${view.depth} layers`),
          element("dd", { "data-last": kind }, words),
        ),
      ),
    );
  };
});
