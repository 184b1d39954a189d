// An activation and its slope; base.js stands in front of it. It draws what view_of() in activation_slopes.py describes.

const AS_W = 420;
const AS_LEFT = 34;
const AS_TOP = [-2.2, 3.2]; // the values' range in the upper chart
const LEFT_RANGE = [-20, 2]; // powers of ten in the chart of what is left
const LEFT_TICKS = [[0, "1"], [-5, "10⁻⁵"], [-10, "10⁻¹⁰"], [-15, "10⁻¹⁵"], [-20, "10⁻²⁰"]];

export default courseWidget("Activation and its slope", (stage, send) => {
  let view = null;
  const kind = choice({
    label: "activation",
    options: ["sigmoid", "tanh", "relu", "leaky relu", "maxout"].map((name) => [name, name]),
    onInput: (value) => send("set", { kind: value }),
  });
  const fixed = (value) => value.toFixed(2).replace("-", "−");
  const set = (name, label, format = fixed) => slider({ label, format, onInput: (value) => send("set", { [name]: value }) });
  const own = {
    x: set("x", "x"),
    layers: set("layers", "layers", String),
    alpha: set("alpha", "α"),
    w1: set("w1", "w₁"),
    b1: set("b1", "b₁"),
    w2: set("w2", "w₂"),
    b2: set("b2", "b₂"),
  };
  const leaky = element("div", { class: "cnn-controls" }, own.alpha.node);
  const pieces = element("div", { class: "cnn-controls" }, ...["w1", "b1", "w2", "b2"].map((name) => own[name].node));

  /** A chart with its lines behind, its curve and what marks the point. */
  function chart(height, kindOf) {
    const node = svg("svg", { class: `as-chart as-${kindOf}`, viewBox: `0 0 ${AS_W} ${height + 20}`, role: "img" });
    const back = svg("g", {});
    const curve = svg("g", { class: "as-curve" });
    const mark = svg("line", { class: "as-mark", y1: 0, y2: height });
    const dot = svg("circle", { class: "as-dot", r: 6 });
    node.append(back, curve, mark, dot);
    return { node, height, back, curve, mark, dot };
  }
  const values = chart(190, "values");
  const slopes = chart(120, "slopes");
  const left = svg("svg", { class: "as-left", viewBox: "0 0 420 330", role: "img" });
  const words = Object.fromEntries(["value", "slope", "left"].map((name) => [name, element("b", { "data-number": name })]));
  const layersWord = element("span", {});
  const notes = element("div", { class: "as-notes" });

  stage.append(
    element("div", { class: "cnn-controls" }, kind.node),
    element("div", { class: "cnn-controls as-sliders" }, own.x.node, own.layers.node),
    leaky,
    pieces,
    element(
      "div",
      { class: "as-charts" },
      element("div", {}, element("p", { class: "as-title" }, "value: click or drag to move the point"), values.node, element("p", { class: "as-title" }, "slope"), slopes.node),
      element("div", {}, element("p", { class: "as-title" }, "what is left of a gradient of 1, layer by layer"), left),
    ),
    element("p", { class: "as-figures" }, element("span", {}, "value ", words.value), element("span", {}, "slope ", words.slope), element("span", {}, layersWord, words.left)),
    notes,
  );

  const px = (x) => AS_LEFT + ((x + view.reach) / (2 * view.reach)) * (AS_W - AS_LEFT - 6);
  let dragging = false;
  function moved(event) {
    const box = event.currentTarget.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * AS_W;
    const x = ((at - AS_LEFT) / (AS_W - AS_LEFT - 6)) * 2 * view.reach - view.reach;
    send("set", { x: Math.min(view.reach, Math.max(-view.reach, Math.round(x * 20) / 20)) });
  }
  for (const { node } of [values, slopes]) {
    node.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      dragging = true;
      node.setPointerCapture(event.pointerId);
      moved(event);
    });
    node.addEventListener("pointermove", (event) => dragging && moved(event));
    node.addEventListener("pointerup", () => (dragging = false));
    node.addEventListener("pointercancel", () => (dragging = false));
  }

  const text = (x, y, words, anchor = "end") => svg("text", { class: "as-tick", x, y, "text-anchor": anchor }, words);
  const rule = (x1, y1, x2, y2, kind = "as-grid") => svg("line", { class: kind, x1, y1, x2, y2 });
  const minus = (value) => String(value).replace("-", "−");

  function drawChart({ node, height, back, curve, mark, dot }, lines, [low, high], ticks, y, label) {
    const py = (value) => Math.min(height + 14, Math.max(-14, height * (1 - (value - low) / (high - low))));
    back.replaceChildren(
      ...ticks.filter((tick) => tick >= low && tick <= high).flatMap((tick) => [rule(AS_LEFT, py(tick), AS_W, py(tick), tick === 0 ? "as-zero" : "as-grid"), text(AS_LEFT - 6, py(tick) + 4, minus(tick))]),
      rule(px(0), 0, px(0), height, "as-zero"),
      ...[-4, -2, 0, 2, 4].map((x) => text(px(x), height + 16, minus(x), x === 4 ? "end" : "middle")),
    );
    curve.replaceChildren(...lines.map((line) => svg("polyline", { points: line.map(([x, value]) => `${px(x).toFixed(1)},${py(value).toFixed(1)}`).join(" ") })));
    const x = px(view.point[0]);
    mark.setAttribute("x1", x);
    mark.setAttribute("x2", x);
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", Math.min(height, Math.max(0, py(y))));
    node.setAttribute("aria-label", label);
  }

  function drawLeft() {
    const [low, high] = LEFT_RANGE;
    const py = (power) => 306 * (1 - (power - low) / (high - low)) + 2;
    const step = (AS_W - 56) / view.left.length;
    left.replaceChildren(
      ...LEFT_TICKS.flatMap(([power, label]) => [rule(50, py(power), AS_W, py(power), power === 0 ? "as-zero" : "as-grid"), text(44, py(power) + 4, label)]),
      ...view.left.map((power, k) => {
        const x = 52 + k * step;
        const top = power === null ? py(low) : Math.min(py(power), py(0));
        const bottom = power === null ? py(low) : Math.max(py(power), py(0));
        return svg("rect", { class: power > 0 ? "as-bar as-grows" : "as-bar", x, y: top, width: Math.max(1, step - 3), height: Math.max(power === null ? 0 : 2, bottom - top) });
      }),
      text(52, 326, "layer 1", "start"),
      text(AS_W, 326, `layer ${view.left.length}`),
    );
    left.setAttribute("aria-label", `${view.left_words} is left after ${view.left.length} layers`);
  }

  return (next) => {
    view = next;
    kind.update(view.kind);
    own.x.update(view.settings.x, { min: -view.reach, max: view.reach, step: 0.05 });
    own.layers.update(view.settings.layers, { min: 1, max: view.max_layers });
    for (const name of ["alpha", "w1", "b1", "w2", "b2"]) own[name].update(view.settings[name], { min: -view.steepest, max: view.steepest, step: 0.05 });
    leaky.hidden = view.kind !== "leaky relu";
    pieces.hidden = view.kind !== "maxout";
    drawChart(values, view.curve, AS_TOP, [-2, -1, 0, 1, 2, 3], view.point[1], `${view.kind}, value ${view.value_words} at the point`);
    drawChart(slopes, view.slope, view.slope_range, [-2, -1, -0.5, 0, 0.25, 0.5, 1, 2].filter((tick) => view.slope_range[1] - view.slope_range[0] < 2 || Number.isInteger(tick)), view.point[2], `slope of ${view.kind}, ${view.slope_words} at the point`);
    drawLeft();
    setText(words.value, view.value_words);
    setText(words.slope, view.slope_words);
    setText(words.left, view.left_words);
    setText(layersWord, `left after ${view.settings.layers} ${view.settings.layers === 1 ? "layer" : "layers"} `);
    notes.replaceChildren(...view.notes.map(({ text: said, wrong }) => element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${said}`)));
  };
});
