// The neuron's browser part; base.js stands in front of it. It draws what view_of() in neuron.py describes.

export default courseWidget("Neuron", (stage, send) => {
  // Colours live in CSS; a canvas needs them as numbers, so an invisible element translates them.
  const probe = element("span", { hidden: true });
  const probes = ["--side-minus", "--side-plus"].map((name) => element("span", { style: `color: var(${name})` }));
  probe.append(...probes);
  const colours = () => probes.map((node) => getComputedStyle(node).color.match(/[\d.]+/g).slice(0, 3).map(Number));

  let view = null;
  const dataset = choice({
    label: "points",
    options: ["apart", "narrow", "overlap", "XOR"].map((name) => [name, name]),
    onInput: (value) => send("set", { dataset: value }),
  });
  const twoDecimals = (value) => value.toFixed(2).replace("-", "−");
  const sliders = [
    ["w₁", (value) => send("set", { weight: [value, view.weight[1]] })],
    ["w₂", (value) => send("set", { weight: [view.weight[0], value] })],
    ["b", (value) => send("set", { bias: value })],
  ].map(([label, onInput]) => slider({ label, onInput, format: twoDecimals }));
  const step = button({ label: "Step", title: "the perceptron's update at the next wrong point", onClick: () => send("step") });
  const fit = button({ label: "Run my perceptron_fit", kind: "cnn-main", onClick: () => send("fit") });
  const reset = button({ label: "Reset", onClick: () => send("reset") });

  // The plane: a painted canvas, and on it everything that is drawn or grasped. y grows upwards.
  const canvas = element("canvas", { class: "nn-paint", "aria-hidden": "true" });
  const board = svg("svg", { class: "nn-board", viewBox: "-3 -3 6 6", role: "group", "aria-label": "the plane of x₁ and x₂" });
  const grid = svg("g", { class: "nn-grid" });
  for (let at = -2; at <= 2; at += 1) {
    grid.append(svg("line", { x1: at, x2: at, y1: -3, y2: 3, class: at ? "" : "nn-axis" }));
    grid.append(svg("line", { y1: at, y2: at, x1: -3, x2: 3, class: at ? "" : "nn-axis" }));
  }
  const names = [
    svg("text", { x: 2.72, y: -0.12, class: "nn-name" }, "x₁"),
    svg("text", { x: 0.1, y: -2.68, class: "nn-name" }, "x₂"),
  ];
  const line = svg("line", { class: "nn-line" });
  const points = svg("g", {});
  const shaft = svg("line", { class: "nn-shaft" });
  const tip = handle("nn-tip", "drag", { w1: [1, 0], w2: [0, 1] });
  const foot = handle("nn-foot", "shift", null);
  board.append(grid, ...names, line, points, shaft, foot, tip);
  const plane = element("div", { class: "nn-plane" }, canvas, board);

  /** Where the mouse is, in the plane's own numbers. */
  function place(event) {
    const box = board.getBoundingClientRect();
    const to = (share) => Math.min(3, Math.max(-3, 6 * share - 3));
    return { x: to((event.clientX - box.left) / box.width), y: -to((event.clientY - box.top) / box.height) };
  }

  /** A disc that is dragged, or moved with the arrow keys by 0.1. */
  function handle(kind, action, axes) {
    const node = svg(
      "g",
      { class: `nn-handle ${kind}`, tabindex: 0, role: "slider" },
      svg("circle", { r: 0.3, class: "nn-reach" }),
      action === "drag" ? svg("circle", { r: 0.14 }) : svg("rect", { x: -0.12, y: -0.12, width: 0.24, height: 0.24 }),
    );
    node.addEventListener("pointerdown", (event) => {
      node.setPointerCapture(event.pointerId);
      node.focus();
      event.preventDefault();
    });
    node.addEventListener("pointermove", (event) => {
      if (node.hasPointerCapture(event.pointerId)) drag(action, place(event));
    });
    node.addEventListener("keydown", (event) => {
      const by = { ArrowRight: [0.1, 0], ArrowLeft: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (!by) return;
      event.preventDefault();
      send("nudge", axes ? { w1: by[0], w2: by[1] } : { b: by[0] + by[1] });
    });
    return node;
  }

  // Places that the mouse passed while an answer was under way are skipped: the kernel gets the latest one only.
  let latest = null;
  let asked = -1;
  function drag(action, where) {
    latest = [action, where];
    if (asked !== view.turn) sendLatest();
  }
  function sendLatest() {
    const [action, where] = latest;
    latest = null;
    asked = view.turn;
    send(action, where);
  }

  // The neuron itself, with the numbers of one point.
  const wires = [0, 1, 2].map((at) => svg("path", { d: `M64,${30 + 50 * at} L140,80`, class: "nn-wire" }));
  const inputs = [0, 1, 2].map((at) =>
    svg("g", {}, svg("circle", { cx: 46, cy: 30 + 50 * at, r: 20, class: "nn-node" }), svg("text", { x: 46, y: 34.5 + 50 * at })),
  );
  const inputNames = ["x₁", "x₂", "1"].map((name, at) => svg("text", { x: 12, y: 34.5 + 50 * at, class: "nn-name" }, at < 2 ? name : ""));
  const weightTexts = [0, 1, 2].map((at) => svg("text", { x: 99, y: [38, 74, 134][at], class: "nn-weight" }));
  const out = svg("text", { x: 285, y: 85, class: "nn-out" });
  const diagram = svg(
    "svg",
    { class: "nn-diagram", viewBox: "0 0 320 160", role: "img", "aria-label": "the neuron: weighted sum, then sign" },
    ...wires,
    ...inputNames,
    ...inputs,
    ...weightTexts,
    svg("path", { d: "M164,80 H204 M244,80 H266", class: "nn-flow" }),
    svg("circle", { cx: 156, cy: 80, r: 19, class: "nn-node" }),
    svg("text", { x: 156, y: 86, class: "nn-sigma" }, "Σ"),
    svg("rect", { x: 196, y: 61, width: 48, height: 38, rx: 5, class: "nn-node" }),
    svg("path", { d: "M204,89 H220 V71 H236", class: "nn-step" }),
    out,
  );
  const caption = element("p", { class: "nn-caption" });
  const formula = element("p", { class: "nn-formula" });
  const verdict = element("p", { class: "nn-verdict" });
  const hint = element(
    "p",
    { class: "nn-hint" },
    "Drag the arrow's tip (the weights) or the square on the line (the bias); focused, the arrow keys move them. Click a point to see its sum.",
  );
  const notes = element("div", { class: "nn-notes", role: "status" });

  stage.append(
    probe,
    element("div", { class: "nn-head" }, dataset.node, element("div", { class: "nn-buttons" }, fit, step, reset)),
    element(
      "div",
      { class: "nn-main" },
      plane,
      element("div", { class: "nn-side" }, diagram, caption, formula, verdict, element("div", { class: "nn-sliders" }, ...sliders.map(({ node }) => node)), hint),
    ),
    notes,
  );

  function paint() {
    if (!view || !stage.isConnected) return;
    const size = view.grid;
    const [minus, plus] = colours();
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    for (let at = 0; at < size * size; at += 1) {
      image.data.set([...(view.plane.getUint8(at) ? plus : minus), 255], 4 * at);
    }
    context.putImageData(image, 0, 0);
  }
  // Colours change with the theme; a widget that left the page stops listening.
  const themed = new MutationObserver(() => (stage.isConnected ? paint() : themed.disconnect()));
  new ResizeObserver(() => {
    themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
    paint();
  }).observe(plane);

  function drawPoints() {
    if (points.children.length !== view.points.length) {
      points.replaceChildren(
        ...view.points.map((_, index) => {
          const node = svg("g", { class: "nn-point", "data-point": index });
          node.addEventListener("click", () => send("set", { point: index }));
          return node;
        }),
      );
    }
    view.points.forEach(({ x, y, plus, wrong }, index) => {
      const node = points.children[index];
      node.setAttribute("transform", `translate(${x},${-y})`);
      node.setAttribute("class", `nn-point ${plus ? "nn-plus" : "nn-minus"}${wrong ? " nn-wrong" : ""}${index === view.point ? " nn-here" : ""}`);
      const shape = plus ? svg("path", { d: "M0,-0.15 L0.14,0.1 L-0.14,0.1 Z" }) : svg("circle", { r: 0.115 });
      const marks = [svg("circle", { r: 0.24, class: "nn-ring" })];
      if (wrong) marks.push(svg("path", { d: "M-0.2,-0.2 L0.2,0.2 M0.2,-0.2 L-0.2,0.2", class: "nn-cross" }));
      node.replaceChildren(...marks, shape);
    });
  }

  function drawLine() {
    const [w1, w2] = view.weight;
    const length = Math.hypot(w1, w2);
    for (const node of [line, foot]) node.classList.toggle("nn-gone", !view.foot || (node === foot && !view.handle));
    const [x, y] = view.tip;
    shaft.setAttribute("x2", x);
    shaft.setAttribute("y2", -y);
    tip.setAttribute("transform", `translate(${x},${-y})`);
    tip.setAttribute("aria-label", "weights w₁ and w₂, the arrow's tip");
    tip.setAttribute("aria-valuenow", length.toFixed(2));
    tip.setAttribute("aria-valuetext", `w₁ ${w1}, w₂ ${w2}`);
    foot.setAttribute("aria-label", "bias, the place of the line");
    foot.setAttribute("aria-valuenow", view.bias);
    foot.setAttribute("tabindex", view.handle ? 0 : -1);
    if (!view.foot) return;
    const [fx, fy] = view.foot;
    const along = [(-9 * w2) / length, (9 * w1) / length];
    const ends = { x1: fx - along[0], y1: -(fy - along[1]), x2: fx + along[0], y2: -(fy + along[1]) };
    for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value);
    foot.setAttribute("transform", `translate(${fx},${-fy})`);
  }

  function drawNeuron() {
    const weights = [...view.weight, view.bias];
    weights.forEach((weight, at) => {
      wires[at].setAttribute("class", `nn-wire ${weight < 0 ? "nn-negative" : "nn-positive"}`);
      wires[at].setAttribute("stroke-width", Math.min(8, 1 + 2.2 * Math.abs(weight)).toFixed(2));
      setText(weightTexts[at], twoDecimals(weight));
      setText(inputs[at].lastChild, at < 2 ? view.inputs[at] : "1");
    });
    setText(out, view.output);
    setText(caption, `point ${view.point}: w₁·x₁ + w₂·x₂ + b`);
    setText(formula, view.formula);
    verdict.classList.toggle("nn-is-wrong", !view.right);
    setText(verdict, view.right ? `✓ sign ${view.output}, as wanted` : `✗ sign ${view.output}, wanted ${view.wanted}`);
  }

  return (next) => {
    view = next;
    dataset.update(view.dataset);
    [...view.weight, view.bias].forEach((value, at) => sliders[at].update(value, { min: -view.range, max: view.range, step: 0.05 }));
    step.disabled = view.done;
    paint();
    drawPoints();
    drawLine();
    drawNeuron();
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)),
    );
    if (latest) sendLatest();
  };
});
