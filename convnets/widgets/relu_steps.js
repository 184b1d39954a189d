// The ReLU steps' browser part; base.js stands in front of it. It draws what view_of() in relu_steps.py describes.

const WIDTH = 640;
const HEIGHT = 300;
const TOP = 1.35; // the picture's largest y

export default courseWidget("ReLU steps", (stage, send) => {
  let view = null;
  const target = choice({
    label: "function to approximate",
    options: ["sine", "bumps", "kink", "root", "jump"].map((name) => [name, name]),
    onInput: (value) => send("set", { target: value }),
  });
  const units = slider({ label: "hidden units n", onInput: (value) => send("set", { units: value }) });
  const shown = slider({ label: "switched on", onInput: (value) => send("set", { shown: value }) });
  const seed = stepper({ label: "seed", onInput: (value) => send("set", { seed: value }) });
  const train = button({ label: "▶ Train", kind: "cnn-main rs-train", onClick: () => send(view.playing ? "pause" : "play") });
  const build = button({ label: "Build by hand", onClick: () => send("build") });

  const px = (x) => (40 + x * (WIDTH - 56)).toFixed(1);
  const py = (y) => (HEIGHT / 2 - (y / TOP) * (HEIGHT / 2 - 12)).toFixed(1);
  const chart = svg("svg", { class: "rs-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  for (const y of [-1, 0, 1]) {
    chart.append(svg("line", { class: "rs-grid", x1: px(0), x2: px(1), y1: py(y), y2: py(y) }));
    chart.append(svg("text", { class: "rs-tick", x: 34, y: Number(py(y)) + 4, "text-anchor": "end" }, String(y).replace("-", "−")));
  }
  for (const [x, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
    chart.append(svg("text", { class: "rs-tick", x: px(x), y: HEIGHT - 2, "text-anchor": anchor }, `x = ${x}`));
  }
  const wanted = svg("polyline", { class: "rs-wanted" });
  const curve = svg("polyline", { class: "rs-curve" });
  const bends = svg("g", {});
  chart.append(wanted, curve, bends);

  const legend = element(
    "p",
    { class: "rs-legend" },
    element("span", { class: "rs-key rs-key-wanted" }, "target"),
    element("span", { class: "rs-key rs-key-curve" }, "network"),
    element("span", { class: "rs-key rs-key-bend" }, "a unit bends the line here"),
  );
  const numbers = Object.fromEntries(["error", "built_error", "steps"].map((name) => [name, element("b", { "data-number": name })]));
  const figures = element(
    "p",
    { class: "rs-figures" },
    element("span", {}, "largest error ", numbers.error),
    element("span", { class: "rs-when-training" }, "built by hand ", numbers.built_error),
    element("span", { class: "rs-when-training" }, "steps ", numbers.steps),
  );
  const formula = element("p", { class: "rs-formula" });
  const notes = element("div", { class: "rs-notes", role: "status" });

  stage.append(
    element("div", { class: "rs-head" }, target.node, element("div", { class: "rs-buttons" }, train, build)),
    element("div", { class: "cnn-controls rs-controls" }, units.node, shown.node, seed.node),
    chart,
    element("div", { class: "rs-below" }, legend, figures),
    formula,
    notes,
  );

  const path = (pairs) => pairs.map(([x, y]) => `${px(x)},${py(y)}`).join(" ");

  return (next) => {
    view = next;
    target.update(view.target);
    const [n, fewest, most] = view.units;
    units.update(n, { min: fewest, max: most });
    const [on, none, all] = view.shown;
    shown.update(on, { min: none, max: all, disabled: view.training });
    seed.update(view.seed[0], { min: view.seed[1], max: view.seed[2] });
    setText(train, view.playing ? "❚❚ Pause" : "▶ Train");
    train.disabled = view.finished && !view.playing;
    build.disabled = !view.training;
    wanted.setAttribute("points", path(view.wanted));
    curve.setAttribute("points", path(view.curve));
    bends.replaceChildren(...view.bends.map(([x, y]) => svg("circle", { class: "rs-bend", cx: px(x), cy: py(y), r: view.bends.length > 24 ? 2.5 : 4 })));
    chart.setAttribute("aria-label", `target ${view.target} and a network of ${n} ReLU units, largest error ${view.error}`);
    for (const [name, node] of Object.entries(numbers)) setText(node, view[name]);
    for (const node of figures.querySelectorAll(".rs-when-training")) node.hidden = !view.training;
    formula.hidden = view.training;
    setText(formula, view.formula);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)),
    );
  };
});
