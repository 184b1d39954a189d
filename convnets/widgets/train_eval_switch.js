// The browser part of the train/eval switch; base.js stands in front of it.
// It draws what view_of() in train_eval_switch.py describes.

const WIDTH = 640;
const HEIGHT = 236;
const LINES = { x: 46, y: 140, answers: 206 };

export default courseWidget("Batch normalization, train and eval mode", (stage, send) => {
  const mode = choice({
    label: "mode",
    options: [["train", "train: the batch"], ["eval", "eval: running statistics"]],
    onInput: (value) => send("set", { mode: value }),
  });
  const size = slider({ label: "batch size", onInput: (value) => send("set", { size: value }) });
  const value = slider({ label: "marked example", format: (x) => x.toFixed(1).replace("-", "−"), onInput: (x) => send("set", { value: x }) });
  const draw = stepper({ label: "draw of the others", onInput: (x) => send("set", { draw: x }) });
  const batches = slider({ label: "batches seen before", onInput: (x) => send("set", { batches: x }) });

  const joins = svg("g", { class: "te-joins" });
  const dots = svg("g", {});
  const answers = svg("g", { class: "te-answers" });
  const middle = svg("line", { class: "te-mean", y1: LINES.x - 16, y2: LINES.x + 16 });
  const axes = svg("g", { class: "te-axis" });
  const chart = svg("svg", { class: "te-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, axes, middle, joins, answers, dots);
  const used = element("span", { class: "te-figure", "data-figure": "used" });
  const running = element("span", { class: "te-figure", "data-figure": "running" });
  const figures = element(
    "p",
    { class: "te-figures" },
    element("span", { class: "te-key" }, "mean used"),
    element("span", {}, element("b", {}, "normalised by "), used),
    element("span", {}, element("b", {}, "running statistics "), running),
  );
  const notes = element("div", { class: "te-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls te-controls" }, mode.node, draw.node),
    element("div", { class: "cnn-controls te-controls" }, size.node, value.node, batches.node),
    chart,
    figures,
    notes,
  );

  const place = (number, [low, high]) => Number((24 + ((number - low) / (high - low)) * (WIDTH - 48)).toFixed(2));

  function drawAxes(view) {
    const nodes = [];
    for (const [name, range, step, title] of [
      ["x", view.x_range, 2, "x, the batch"],
      ["y", view.y_range, 1, "y, its outputs"],
      ["answers", view.y_range, 1, `y of the marked example, ${view.answers.length} draws of the others`],
    ]) {
      const at = LINES[name];
      nodes.push(svg("line", { x1: 24, x2: WIDTH - 24, y1: at, y2: at }));
      // Titles stand above their axis at the left, numbers of the first axis above it and of the others below.
      nodes.push(svg("text", { class: "te-title", x: 24, y: name === "x" ? 12 : name === "y" ? at + 32 : at + 26 }, title));
      if (name === "answers") continue;
      for (let tick = range[0]; tick <= range[1]; tick += step) {
        nodes.push(svg("text", { x: place(tick, range), y: name === "x" ? at - 18 : at + 18, "text-anchor": "middle" }, String(tick).replace("-", "−")));
      }
    }
    axes.replaceChildren(...nodes);
  }

  return (view) => {
    mode.update(view.mode);
    for (const [own, [number, min, max], step] of [[size, view.size, 1], [value, view.value, 0.1], [batches, view.batches, 1]]) {
      own.update(number, { min, max, step });
    }
    draw.update(view.draw[0], { min: view.draw[1], max: view.draw[2] });
    drawAxes(view);
    const at = place(Math.min(Math.max(view.used_mean, view.x_range[0]), view.x_range[1]), view.x_range);
    middle.setAttribute("x1", at);
    middle.setAttribute("x2", at);
    const ends = view.pairs.map(([x, y]) => [place(x, view.x_range), place(y, view.y_range)]);
    // The marked example comes first in the batch and is drawn last, on top.
    const order = ends.map((pair, i) => [i === 0, pair]).reverse();
    joins.replaceChildren(
      ...order.map(([marked, [x, y]]) => svg("line", { class: marked ? "te-marked" : null, x1: x, x2: y, y1: LINES.x, y2: LINES.y })),
    );
    dots.replaceChildren(
      ...order.flatMap(([marked, [x, y]]) => [
        svg("circle", { class: marked ? "te-dot te-marked" : "te-dot", cx: x, cy: LINES.x, r: marked ? 7 : 4.5 }),
        svg("circle", { class: `te-dot te-out${marked ? " te-marked" : ""}${view.refused ? " te-refused" : ""}`, cx: y, cy: LINES.y, r: marked ? 7 : 4.5 }),
      ]),
    );
    answers.replaceChildren(
      ...view.answers.map((answer) => svg("line", { x1: place(answer, view.y_range), x2: place(answer, view.y_range), y1: LINES.answers - 10, y2: LINES.answers + 10 })),
    );
    chart.setAttribute("aria-label", `${view.pairs.length} examples in ${view.mode} mode, the marked one from ${view.pairs[0][0]} to ${view.pairs[0][1]}`);
    setText(used, view.used);
    setText(running, view.running);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)),
    );
  };
});
