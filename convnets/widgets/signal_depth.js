// Ten histograms against the gain; base.js stands in front of it. It draws what view_of() in signal_depth.py describes.

const SD_W = 150;
const SD_H = 74;
const SD_CHART = [860, 150];
const SD_POWERS = [-12, 6];
const SD_TICKS = [[-12, "10⁻¹²"], [-6, "10⁻⁶"], [0, "1"], [6, "10⁶"]];

export default courseWidget("Signal by depth", (stage, send) => {
  let view = null;
  const activation = choice({
    label: "activation",
    options: ["linear", "relu", "leaky relu", "tanh", "sigmoid"].map((name) => [name, name]),
    onInput: (value) => send("set", { activation: value }),
  });
  const width = choice({
    label: "units a layer, n",
    options: [50, 200, 400].map((value) => [value, String(value)]),
    onInput: (value) => send("set", { width: Number(value) }),
  });
  const gain = slider({ label: "gain: weights are gain · randn / √n", format: (value) => value.toFixed(2), onInput: (value) => send("set", { gain: value }) });
  const seed = stepper({ label: "seed", onInput: (value) => send("set", { seed: value }) });
  const layers = element("div", { class: "sd-layers" });
  const chart = svg("svg", { class: "sd-chart", viewBox: `0 0 ${SD_CHART[0]} ${SD_CHART[1] + 22}`, role: "img" });
  const notes = element("div", { class: "sd-notes" });

  stage.append(
    element("div", { class: "cnn-controls" }, activation.node),
    element("div", { class: "cnn-controls sd-second" }, gain.node, width.node, seed.node),
    layers,
    element("p", { class: "sd-title" }, "standard deviation of the activations, layer 1 to layer 10"),
    chart,
    notes,
  );

  function histogram(at) {
    const picture = svg("svg", { class: "sd-histogram", viewBox: `0 0 ${SD_W} ${SD_H + 14}`, role: "img" });
    const std = element("span", { class: "sd-std", "data-std": at + 1 });
    return { picture, std, node: element("div", { class: "sd-layer" }, element("span", { class: "sd-name" }, `layer ${at + 1}`), picture, std) };
  }
  let all = [];

  const text = (x, y, words, anchor) => svg("text", { class: "sd-tick", x, y, "text-anchor": anchor }, words);

  function drawHistogram({ picture, std }, heights, at) {
    const step = SD_W / heights.length;
    const inside = (SD_W / 2) * (1 / view.reach);
    picture.replaceChildren(
      svg("line", { class: "sd-middle", x1: SD_W / 2, x2: SD_W / 2, y1: 0, y2: SD_H }),
      ...heights.map((height, k) => svg("rect", { class: "sd-bar", x: (k * step).toFixed(2), width: (step + 0.1).toFixed(2), y: (SD_H * (1 - height)).toFixed(2), height: (SD_H * height).toFixed(2) })),
      svg("line", { class: "sd-foot", x1: 0, x2: SD_W, y1: SD_H, y2: SD_H }),
      text(SD_W / 2 - 2 * inside, SD_H + 13, "−2", "middle"),
      text(SD_W / 2, SD_H + 13, "0", "middle"),
      text(SD_W / 2 + 2 * inside, SD_H + 13, "2", "middle"),
    );
    picture.setAttribute("aria-label", `histogram of layer ${at + 1}, standard deviation ${view.stds[at]}`);
    setText(std, `std ${view.stds[at]}`);
  }

  function drawChart() {
    const [w, h] = SD_CHART;
    const [low, high] = SD_POWERS;
    const px = (k) => 60 + (k / (view.powers.length - 1)) * (w - 76);
    const py = (power) => 4 + (h - 8) * (1 - (power - low) / (high - low));
    const dots = view.powers.map((power, k) => [px(k), py(power)]);
    chart.replaceChildren(
      ...SD_TICKS.flatMap(([power, label]) => [
        svg("line", { class: power === 0 ? "sd-zero" : "sd-grid", x1: 52, x2: w, y1: py(power), y2: py(power) }),
        text(46, py(power) + 4, label, "end"),
      ]),
      ...view.powers.map((_, k) => text(px(k), h + 18, String(k + 1), "middle")),
      svg("polyline", { class: "sd-line", points: dots.map((dot) => dot.map((value) => value.toFixed(1)).join(",")).join(" ") }),
      ...dots.map(([cx, cy]) => svg("circle", { class: "sd-dot", cx, cy, r: 4.5 })),
    );
    chart.setAttribute("aria-label", `standard deviations of the layers: ${view.stds.join(", ")}`);
  }

  return (next) => {
    view = next;
    activation.update(view.activation);
    width.update(view.width);
    const [value, min, max] = view.gain;
    gain.update(value, { min, max, step: 0.05 });
    seed.update(view.seed[0], { min: view.seed[1], max: view.seed[2] });
    if (all.length !== view.bars.length) {
      all = view.bars.map((_, at) => histogram(at));
      layers.replaceChildren(...all.map(({ node }) => node));
    }
    view.bars.forEach((heights, at) => drawHistogram(all[at], heights, at));
    drawChart();
    notes.replaceChildren(...view.notes.map(({ text: said, wrong }) => element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${said}`)));
  };
});
