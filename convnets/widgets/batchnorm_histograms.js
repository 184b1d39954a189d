// The browser part of the histograms around batch normalization; base.js stands in front of it.
// It draws what view_of() in batchnorm_histograms.py describes.

const WIDTH = 640;
const ROW = 128;
const FULL = 0.2; // the share of examples in a bin that fills a row

export default courseWidget("Batch normalization, before and after", (stage, send) => {
  const activation = choice({
    label: "activation",
    options: ["sigmoid", "tanh", "ReLU"].map((name) => [name, name]),
    onInput: (value) => send("set", { activation: value }),
  });
  const signed = (value) => value.toFixed(1).replace("-", "−");
  const control = (label, name) => slider({ label, format: signed, onInput: (value) => send("set", { [name]: value }) });
  const mean = control("mean of x", "mean");
  const std = control("standard deviation of x", "std");
  const weight = control("α (weight)", "weight");
  const bias = control("β (bias)", "bias");
  const seed = stepper({ label: "draw", onInput: (value) => send("set", { seed: value }) });
  const identity = button({ label: "α = √(std² + ε), β = mean", kind: "bh-identity", onClick: () => send("identity") });
  const fresh = button({ label: "α = 1, β = 0", kind: "bh-fresh", onClick: () => send("fresh") });

  const rows = {};
  for (const [name, title] of [["before", "x, before"], ["after", "BN(x), after"]]) {
    const flat = svg("g", {});
    const curve = svg("polyline", { class: "bh-activation" });
    const bars = svg("path", { class: `bh-bars bh-${name}` });
    const middle = svg("line", { class: "bh-mean", y1: 4, y2: ROW - 18 });
    const axis = svg("g", { class: "bh-axis" });
    const chart = svg("svg", { class: "bh-chart", viewBox: `0 0 ${WIDTH} ${ROW}`, role: "img" }, flat, curve, bars, middle, axis);
    const words = element("span", { class: "bh-words", "data-row": name });
    rows[name] = { flat, curve, bars, middle, axis, chart, words };
    rows[name].node = element("div", { class: "bh-row" }, element("p", { class: "bh-title" }, element("b", {}, title), words), chart);
  }
  const legend = element(
    "p",
    { class: "bh-legend" },
    element("span", { class: "bh-key bh-key-curve" }, "activation"),
    element("span", { class: "bh-key bh-key-flat" }, "its flat part"),
    element("span", { class: "bh-key bh-key-mean" }, "mean"),
  );
  const notes = element("div", { class: "bh-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls bh-controls" }, mean.node, std.node, activation.node, seed.node),
    rows.before.node,
    element("div", { class: "cnn-controls bh-controls" }, weight.node, bias.node, element("div", { class: "bh-buttons" }, identity, fresh)),
    rows.after.node,
    legend,
    notes,
  );

  function drawRow(row, data, view) {
    const [low, high] = view.edges;
    const floor = ROW - 18;
    const px = (x) => Number((((x - low) / (high - low)) * WIDTH).toFixed(2));
    const step = (high - low) / data.bars.length;
    row.flat.replaceChildren(
      ...view.flat_ranges.map(([from, to]) => svg("rect", { class: "bh-flat", x: px(from), y: 0, width: px(to) - px(from), height: floor })),
    );
    row.curve.setAttribute("points", view.curve.map(([x, y]) => `${px(x)},${(floor - 4 - y * (floor - 12)).toFixed(1)}`).join(" "));
    row.bars.setAttribute(
      "d",
      data.bars
        .map((share, i) => {
          const height = Math.min(share / FULL, 1) * (floor - 4);
          return height ? `M${px(low + i * step)},${floor}v${-height.toFixed(2)}h${px(low + step) - 0.6}v${height.toFixed(2)}z` : "";
        })
        .join(""),
    );
    const at = Math.min(Math.max(Number(data.mean.replace("−", "-")), low), high);
    row.middle.setAttribute("x1", px(at));
    row.middle.setAttribute("x2", px(at));
    row.axis.replaceChildren(
      svg("line", { x1: 0, x2: WIDTH, y1: floor, y2: floor }),
      ...[-10, -5, 0, 5, 10].map((x) => svg("text", { x: px(x), y: ROW - 4, "text-anchor": "middle" }, String(x).replace("-", "−"))),
    );
    setText(row.words, `mean ${data.mean}, standard deviation ${data.std}, ${data.flat} of ${view.examples} logits in the flat part`);
    row.chart.setAttribute("aria-label", `histogram, mean ${data.mean}, standard deviation ${data.std}`);
  }

  return (view) => {
    for (const [own, [value, min, max]] of [[mean, view.mean], [std, view.std], [weight, view.weight], [bias, view.bias]]) {
      own.update(value, { min, max, step: 0.1 });
    }
    seed.update(view.seed[0], { min: view.seed[1], max: view.seed[2] });
    activation.update(view.activation);
    drawRow(rows.before, view.before, view);
    drawRow(rows.after, view.after, view);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)),
    );
  };
});
