// FreezeDepth: the layers as bars, what is trained of each, accuracy against depth; see the .py file.

const FD_W = 840;
const FD_BARS = 120;
const FD_CHART = 150;
const FD_MARKS = ["●", "■"];

export default courseWidget("Freeze depth", (stage, send) => {
  let view = null;
  const frozen = slider({ label: "frozen layers", onInput: (value) => send("set", { frozen: value }) });
  const fixed = choice({
    label: "statistics of the layers that are trained",
    options: [["move", "move"], ["fixed", "fixed"]],
    onInput: (value) => send("set", { fix_statistics: value === "fixed" }),
  });
  const bars = svg("svg", { class: "fd-bars", viewBox: `0 0 ${FD_W} ${FD_BARS + 74}`, role: "img" });
  const chart = svg("svg", { class: "fd-chart", viewBox: `0 0 ${FD_W} ${FD_CHART + 62}`, role: "img" });
  const legend = element("p", { class: "fd-legend" }, "Bars: parameters (square root). Hatched: frozen. ", element("b", {}, "~"), " running statistics move.");
  const title = element("div", { class: "fd-title" }, "measured beforehand: % of unseen pictures right after training on, statistics always fixed");
  const notes = element("div", { class: "fd-notes" });
  stage.append(element("div", { class: "cnn-controls" }, frozen.node, fixed.node), element("div", { class: "fd-scroll" }, bars), legend, notes, title, element("div", { class: "fd-scroll" }, chart));

  const text = (x, y, content, attributes = {}) => svg("text", { x, y, class: "fd-label", "text-anchor": "middle", ...attributes }, content);

  function drawBars() {
    const layers = view.layers;
    const step = FD_W / layers.length;
    const most = Math.sqrt(Math.max(...layers.map((layer) => layer.size)));
    const hatch = svg("pattern", { id: "fd-hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: 6, height: 6, class: "fd-ground" }), svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "fd-line" }));
    bars.replaceChildren(svg("defs", {}, hatch));
    layers.forEach((layer, k) => {
      const height = layer.size === 0 ? 2 : 6 + ((FD_BARS - 26) * Math.sqrt(layer.size)) / most;
      const x = k * step + 4;
      const bar = svg("rect", { x, y: FD_BARS - height, width: step - 8, height, rx: 2, class: `fd-bar${layer.wrong ? " fd-wrong" : ""}`, "data-layer": layer.name, "data-trained": layer.trained, "data-moving": String(layer.moving), "data-rate": layer.rate });
      if (!layer.trained && layer.size > 0) bar.style.fill = "url(#fd-hatch)";
      bars.append(
        bar,
        text(x + (step - 8) / 2, FD_BARS - height - 6, layer.rate, { class: "fd-label fd-rate" }),
        text(x + (step - 8) / 2, FD_BARS + 14, layer.moving ? "~" : "", { class: "fd-label fd-moving" }),
        text(0, 0, layer.name, { "text-anchor": "end", transform: `translate(${x + step / 2 - 1} ${FD_BARS + 24}) rotate(-55)` }),
      );
    });
    const at = view.frozen[0] * step;
    bars.append(svg("line", { x1: at, y1: 0, x2: at, y2: FD_BARS + 4, class: "fd-cut" }));
    bars.setAttribute("aria-label", view.status);
  }

  function drawChart() {
    const right = 150;
    const left = 40;
    const last = view.frozen[2];
    // One place more than there are depths: the probe before anything is trained on.
    const x = (depth) => left + ((FD_W - left - right) * depth) / (last + 1);
    const y = (value) => 8 + FD_CHART * (1 - value / 100);
    chart.replaceChildren();
    for (const value of [0, 25, 50, 75, 100]) {
      chart.append(svg("line", { x1: left, x2: FD_W - right, y1: y(value), y2: y(value), class: "fd-grid" }), text(left - 8, y(value) + 4, String(value), { "text-anchor": "end" }));
    }
    for (let depth = 0; depth <= last; depth += 5) chart.append(text(x(depth), FD_CHART + 26, String(depth)));
    chart.append(text(x(last + 1), FD_CHART + 26, "probe"));
    chart.append(text((left + FD_W - right) / 2, FD_CHART + 44, "frozen layers (20: only the classifier is trained on; probe: nothing is)"));
    chart.append(svg("line", { x1: x(view.frozen[0]), x2: x(view.frozen[0]), y1: 8, y2: FD_CHART + 8, class: "fd-cut" }));
    const ends = view.curves.map((curve) => y(curve.probe) + 4);
    const order = ends.map((_, k) => k).sort((a, b) => ends[a] - ends[b]);
    for (let k = 1; k < order.length; k += 1) ends[order[k]] = Math.max(ends[order[k]], ends[order[k - 1]] + 14);
    view.curves.forEach((curve, k) => {
      const points = curve.values.map((value, i) => `${x(view.depths[i]).toFixed(1)},${y(value).toFixed(1)}`);
      chart.append(svg("polyline", { points: points.join(" "), class: `fd-curve fd-curve-${k}` }));
      const marked = [...curve.values.map((value, i) => [view.depths[i], value]), [last + 1, curve.probe]];
      for (const [depth, value] of marked) {
        chart.append(text(x(depth), y(value) + 4, FD_MARKS[k], { class: `fd-mark fd-curve-${k}` }), text(x(depth), y(value) - 8, value.toFixed(1), { class: "fd-label fd-value" }));
      }
      chart.append(text(FD_W - right + 22, ends[k], `${FD_MARKS[k]} ${curve.name}`, { "text-anchor": "start", class: `fd-mark fd-curve-${k}` }));
    });
    chart.setAttribute("aria-label", view.curves.map((curve) => `${curve.name}: ${curve.values.map((value, i) => `${value} % with ${view.depths[i]} frozen`).join(", ")}, the probe ${curve.probe} %`).join("; "));
  }

  return (next) => {
    view = next;
    const [value, min, max] = view.frozen;
    frozen.update(value, { min, max });
    fixed.update(view.fixed ? "fixed" : "move");
    drawBars();
    drawChart();
    notes.replaceChildren(...view.notes.map((note) => element("p", { class: note.wrong ? "cnn-note cnn-wrong" : "cnn-note" }, note.wrong ? `✗ ${note.words}` : note.words)));
  };
});
