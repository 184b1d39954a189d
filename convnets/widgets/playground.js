// The Playground: a net of small pictures, the large decision surface, the loss; see playground.py for the view.

/** Twelve dots that say at a glance what a data set looks like: [x, y, class] in a square of 24. */
function iconDots(dataset) {
  const turn = (count, radius, kind, from = 0) =>
    Array.from({ length: count }, (_, i) => {
      const angle = from + (2 * Math.PI * i) / count;
      return [12 + radius * Math.cos(angle), 12 + radius * Math.sin(angle), kind];
    });
  const cluster = (x, y, kind) => [[0, 0], [3, 2], [-3, 1], [1, -3], [-1, 4]].map(([dx, dy]) => [x + dx, y + dy, kind]);
  const arm = (from, kind) =>
    Array.from({ length: 7 }, (_, i) => {
      const angle = from + i * 0.72;
      const radius = 1.5 + i * 1.4;
      return [12 + radius * Math.sin(angle), 12 - radius * Math.cos(angle), kind];
    });
  return {
    blobs: () => [...cluster(7, 17, 0), ...cluster(17, 7, 1)],
    circles: () => [...turn(10, 9, 0), ...turn(4, 2.6, 1)],
    xor: () => [[6, 6, 0], [9, 9, 0], [18, 18, 0], [15, 15, 0], [18, 6, 1], [15, 9, 1], [6, 18, 1], [9, 15, 1]],
    spiral: () => [...arm(0, 1), ...arm(Math.PI, 0)],
  }[dataset]();
}

function icon(dataset) {
  const dots = iconDots(dataset).map(([cx, cy, kind]) => svg("circle", { cx, cy, r: 1.7, class: kind ? "play-plus" : "play-minus" }));
  return element("span", { class: "play-icon" }, svg("svg", { viewBox: "0 0 24 24", width: 26, height: 26, "aria-hidden": "true" }, ...dots), dataset === "xor" ? "XOR" : dataset);
}

/** A labelled native list. */
function dropdown({ label, options, onInput }) {
  const id = freshId();
  const list = element("select", { id, onchange: () => onInput(list.value) });
  const add = ([value, text]) => list.append(element("option", { value }, text));
  options.forEach(add);
  return {
    node: element("div", { class: "cnn-control" }, element("label", { for: id }, label), list),
    list,
    update(value) {
      // A learning rate given in Python may lie between those of the list.
      if (![...list.options].some((option) => option.value === String(value))) add([value, String(value)]);
      list.value = String(value);
    },
  };
}

const LAYERS = 3;
const UNITS = 8;

export default courseWidget("Playground", (stage, send) => {
  // Colours live in CSS; a canvas needs them as numbers, so an invisible element translates them.
  const probe = element("span", { hidden: true });
  const probes = ["--class-minus", "--middle", "--class-plus", "--ink", "--paper"].map((name) => element("span", { style: `color: var(${name})` }));
  probe.append(...probes);
  const colours = () => probes.map((node) => getComputedStyle(node).color.match(/[\d.]+/g).slice(0, 3).map(Number));

  const dataset = choice({
    label: "points",
    options: ["blobs", "circles", "xor", "spiral"].map((name) => [name, icon(name)]),
    onInput: (value) => send("set", { dataset: value }),
  });
  const noise = slider({ label: "noise", onInput: (value) => send("set", { noise: value }), format: (value) => value.toFixed(2) });
  const train = button({ label: "▶ Train", kind: "cnn-main play-train", onClick: () => send(shown.playing ? "pause" : "play") });
  const step = button({ label: "Step", title: "one step of gradient descent", onClick: () => send("step") });
  const reset = button({ label: "Reset", title: "back to the first weights", onClick: () => send("reset") });
  const activation = dropdown({
    label: "activation",
    options: [["sigmoid", "sigmoid"], ["tanh", "tanh"], ["relu", "ReLU"], ["linear", "linear"]],
    onInput: (value) => send("set", { activation: value }),
  });
  const lr = dropdown({
    label: "learning rate",
    options: [0.01, 0.03, 0.1, 0.3, 1, 3].map((value) => [value, String(value)]),
    onInput: (value) => send("set", { lr: Number(value) }),
  });
  const layers = stepper({ label: "hidden layers", onInput: (count) => send("layers", { count }) });
  const seed = stepper({ label: "seed", onInput: (value) => send("set", { seed: value }) });

  // The net: two inputs, up to three layers of up to eight units, made once and shown as far as needed.
  const wires = svg("svg", { class: "play-wires", "aria-hidden": "true" });
  const thumb = () => element("canvas", { class: "play-thumb", width: 40, height: 40 });
  const inputs = ["x₁", "x₂"].map((name) => ({ name, canvas: thumb() }));
  const columns = [
    element(
      "div",
      { class: "play-column" },
      element("div", { class: "play-head" }, "inputs"),
      element("div", { class: "play-units" }, ...inputs.map(({ name, canvas }) => element("div", { class: "play-unit play-input" }, element("span", {}, name), canvas))),
    ),
  ];
  const hidden = Array.from({ length: LAYERS }, (_, at) => {
    const layer = at + 1;
    const count = stepper({ label: `units in hidden layer ${layer}`, onInput: (units) => send("units", { layer, units }) });
    const units = Array.from({ length: UNITS }, (_, index) => {
      const unit = index + 1;
      const canvas = thumb();
      const node = element(
        "button",
        { type: "button", class: "play-unit", "aria-pressed": "false", "aria-label": `hidden layer ${layer}, unit ${unit}`, onclick: () => send("show", { unit: [layer, unit] }) },
        canvas,
      );
      return { node, canvas };
    });
    const column = element("div", { class: "play-column" }, element("div", { class: "play-head" }, count.node), element("div", { class: "play-units" }, ...units.map(({ node }) => node)));
    columns.push(column);
    return { column, count, units };
  });
  const net = element("div", { class: "play-net" }, wires, ...columns);

  const surface = element("canvas", { class: "play-surface", role: "img" });
  const caption = element("div", { class: "play-caption" });
  const legend = element(
    "div",
    { class: "play-legend", "aria-hidden": "true" },
    element("span", {}, svg("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12 }, svg("circle", { r: 4, class: "play-minus" })), "−1"),
    element("span", {}, svg("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12 }, svg("path", { d: "M0,-5 L5,4 L-5,4 Z", class: "play-plus" })), "+1"),
    element("span", {}, "filled: training, open: test"),
  );
  const output = element("div", { class: "play-output" }, caption, surface, legend);

  const chart = svg("svg", { class: "play-chart", viewBox: "0 0 500 92", preserveAspectRatio: "none", role: "img" });
  const top = element("span", { class: "play-top", "aria-hidden": "true" });
  const numbers = Object.fromEntries(["steps", "train", "test", "right"].map((name) => [name, element("span", { class: "play-value", "data-number": name })]));
  const figures = element(
    "div",
    { class: "play-figures" },
    ...[["steps", "step"], ["train", "training loss"], ["test", "test loss"], ["right", "test right"]].map(([name, words]) =>
      element("div", { class: `play-figure play-of-${name}` }, element("span", { class: "play-name" }, words), numbers[name]),
    ),
  );
  const notes = element("div", { class: "play-notes" });

  stage.append(
    probe,
    element("div", { class: "cnn-controls" }, dataset.node, noise.node, seed.node),
    element("div", { class: "cnn-controls play-second" }, element("div", { class: "play-run" }, train, step, reset), activation.node, lr.node, layers.node),
    element("div", { class: "play-main" }, net, output),
    element("div", { class: "play-loss" }, element("div", { class: "play-frame" }, chart, top), figures),
    notes,
  );

  let shown = null;

  /** Paint one picture of the view, cell by cell, into a canvas of the view's own size. */
  function paint(canvas, cells, [minus, middle, plus], strength) {
    const size = shown.grid;
    const context = canvas.getContext("2d");
    const image = context.createImageData(size, size);
    for (let i = 0; i < size * size; i += 1) {
      const value = (cells[i] - 127.5) / 127.5;
      const end = value < 0 ? minus : plus;
      const part = Math.abs(value) * strength;
      for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = middle[c] + part * (end[c] - middle[c]);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  /** The line on which a picture is 0, by marching squares between the centres of its cells. */
  function drawBoundary(context, cells, side) {
    const size = shown.grid;
    const at = (x, y) => cells[y * size + x] - 127.5;
    const place = (value) => ((value + 0.5) / size) * side;
    context.beginPath();
    for (let y = 0; y < size - 1; y += 1) {
      for (let x = 0; x < size - 1; x += 1) {
        const corner = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
        const spots = [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]];
        const cuts = [];
        for (let i = 0; i < 4; i += 1) {
          const j = (i + 1) % 4;
          if (corner[i] < 0 === corner[j] < 0) continue;
          const part = corner[i] / (corner[i] - corner[j]);
          cuts.push([spots[i][0] + part * (spots[j][0] - spots[i][0]), spots[i][1] + part * (spots[j][1] - spots[i][1])]);
        }
        for (let i = 0; i + 1 < cuts.length; i += 2) {
          context.moveTo(place(cuts[i][0]), place(cuts[i][1]));
          context.lineTo(place(cuts[i + 1][0]), place(cuts[i + 1][1]));
        }
      }
    }
    context.stroke();
  }

  function drawPoints(context, side, [minus, , plus, , paper]) {
    const points = new Float32Array(shown.points.buffer.slice(shown.points.byteOffset, shown.points.byteOffset + shown.points.byteLength));
    const rgb = (colour) => `rgb(${colour.join(",")})`;
    const count = shown.classes.byteLength;
    for (let i = 0; i < count; i += 1) {
      const x = ((points[2 * i] + shown.limit) / (2 * shown.limit)) * side;
      const y = ((shown.limit - points[2 * i + 1]) / (2 * shown.limit)) * side;
      const one = shown.classes.getUint8(i) === 1;
      const trained = i < shown.train_count;
      const r = side / 75;
      context.beginPath();
      if (one) {
        context.moveTo(x, y - 1.25 * r);
        context.lineTo(x + 1.15 * r, y + 0.85 * r);
        context.lineTo(x - 1.15 * r, y + 0.85 * r);
        context.closePath();
      } else context.arc(x, y, r, 0, 2 * Math.PI);
      const own = rgb(one ? plus : minus);
      context.lineWidth = side / 300;
      // A rim of the paper's colour sets every point off from a surface of its own colour.
      context.fillStyle = trained ? own : rgb(paper);
      context.strokeStyle = trained ? rgb(paper) : own;
      context.fill();
      context.stroke();
    }
  }

  function drawSurface(cells, palette) {
    // While JupyterLab changes its theme the page has no width for a moment: the size before stays.
    const side = Math.round(surface.clientWidth * window.devicePixelRatio) || surface.width;
    if (surface.width !== side) surface.width = surface.height = side;
    const small = document.createElement("canvas");
    small.width = small.height = shown.grid;
    // Paler than the small pictures: the points in their full colour must stand out.
    paint(small, cells, palette, 0.6);
    const context = surface.getContext("2d");
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, side, side);
    context.strokeStyle = `rgb(${palette[3].join(",")})`;
    context.lineWidth = side / 170;
    context.lineCap = "round";
    drawBoundary(context, cells, side);
    drawPoints(context, side, palette);
  }

  /** Lines between the pictures: blue and dashed for a negative weight, orange and whole for a positive one. */
  function drawWires() {
    const frame = net.getBoundingClientRect();
    if (frame.width === 0) return;
    wires.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    const box = (node) => {
      const own = node.getBoundingClientRect();
      return { left: own.left - frame.left, right: own.right - frame.left, middle: (own.top + own.bottom) / 2 - frame.top };
    };
    const square = surface.getBoundingClientRect();
    const levels = [inputs.map(({ canvas }) => box(canvas))];
    shown.hidden.forEach((units, at) => levels.push(hidden[at].units.slice(0, units).map(({ canvas }) => box(canvas))));
    levels.push([{ left: square.left - frame.left, middle: (square.top + square.bottom) / 2 - frame.top }]);
    wires.replaceChildren(
      ...shown.weights.flatMap((rows, at) =>
        rows.flatMap((row, target) =>
          row.map((weight, source) => {
            const from = levels[at][source];
            const to = levels[at + 1][target];
            const bend = (to.left - from.right) / 2;
            return svg("path", {
              d: `M${from.right},${from.middle} C${from.right + bend},${from.middle} ${to.left - bend},${to.middle} ${to.left},${to.middle}`,
              class: weight < 0 ? "play-negative" : "play-positive",
              "stroke-width": Math.min(6, 0.4 + Math.abs(weight) * 0.9).toFixed(2),
              "data-weight": weight,
            });
          }),
        ),
      ),
    );
  }

  function drawChart() {
    const highest = Math.max(1, ...shown.curve.slice(0, 1).flatMap(([, a, b]) => [a, b]));
    const last = Math.max(1, shown.curve.at(-1)?.[0] ?? 1);
    const line = (column) =>
      shown.curve.map((row) => `${((500 * row[0]) / last).toFixed(1)},${(88 - 84 * Math.min(1, row[column] / highest)).toFixed(1)}`).join(" ");
    setText(top, `loss ${highest.toFixed(1)}`);
    chart.setAttribute("aria-label", `loss over ${shown.steps} steps, training ${shown.train}, test ${shown.test}`);
    chart.replaceChildren(
      ...[0, 0.5, 1].map((part) => svg("line", { class: "play-grid", x1: 0, x2: 500, y1: 88 - 84 * part, y2: 88 - 84 * part })),
      svg("polyline", { class: "play-line-test", points: line(2) }),
      svg("polyline", { class: "play-line-train", points: line(1) }),
    );
  }

  function drawPictures() {
    const palette = colours();
    const area = shown.grid * shown.grid;
    const cells = (index) => new Uint8Array(shown.maps.buffer, shown.maps.byteOffset + index * area, area);
    inputs.forEach(({ canvas }, index) => paint(canvas, cells(index), palette, 0.9));
    let index = inputs.length;
    let large = index + shown.hidden.reduce((sum, units) => sum + units, 0);
    shown.hidden.forEach((count, at) => {
      hidden[at].units.slice(0, count).forEach(({ canvas }, unit) => {
        if (shown.shown[0] === at + 1 && shown.shown[1] === unit + 1) large = index;
        paint(canvas, cells(index), palette, 0.9);
        index += 1;
      });
    });
    drawSurface(cells(large), palette);
  }

  function redraw() {
    if (!stage.isConnected) return; // colours and sizes are unknown before; the observer of sizes calls again
    drawPictures();
    drawWires();
  }
  // Sizes are known only once the widget stands in the page, and change with its width; colours with the theme.
  // A picture that left the page stops listening for themes, and listens again when it is back and has a size.
  const themed = new MutationObserver(() => (stage.isConnected ? redraw() : themed.disconnect()));
  const sized = new ResizeObserver(() => {
    themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
    redraw();
  });
  sized.observe(net);
  sized.observe(surface);

  return (view) => {
    shown = view;
    dataset.update(view.dataset);
    noise.update(view.noise, { min: 0, max: 0.8, step: 0.05 });
    seed.update(view.seed, { min: 0, max: 999 });
    setText(train, view.playing ? "❚❚ Pause" : "▶ Train");
    train.disabled = view.finished && !view.playing;
    step.disabled = view.finished;
    reset.disabled = view.steps === 0;
    activation.update(view.activation);
    lr.update(view.lr);
    layers.update(view.hidden.length, { min: 0, max: LAYERS });
    hidden.forEach(({ column, count, units }, at) => {
      column.hidden = at >= view.hidden.length;
      if (column.hidden) return;
      count.update(view.hidden[at], { min: 1, max: UNITS });
      units.forEach(({ node }, unit) => {
        node.hidden = unit >= view.hidden[at];
        node.setAttribute("aria-pressed", view.shown[0] === at + 1 && view.shown[1] === unit + 1);
        node.toggleAttribute("data-wrong", view.wrong_sigmoid);
      });
    });
    const [layer, unit] = view.shown;
    setText(caption, layer ? `hidden layer ${layer}, unit ${unit}` : "output y′, boundary where y′ = 0");
    surface.setAttribute("aria-label", `${caption.textContent}; ${view.dataset}, ${view.right} of the test points on their own side`);
    setText(numbers.steps, String(view.steps));
    setText(numbers.train, (view.wrong_step ? "✗ " : "") + view.train);
    setText(numbers.test, view.test);
    setText(numbers.right, view.right);
    drawChart();
    notes.replaceChildren(...view.notes.map(({ text, wrong }) => element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${text}`)));
    redraw();
  };
});
