// The browser part of the thinned nets; base.js stands in front of it. It draws what view_of() describes.

const WIDTH = 640;
const STRIP = { y: 62, left: 26, right: WIDTH - 26 };
const LABELS = { inverted: "inverted: in training", classic: "classic: in use", neither: "neither scaled" };

export default courseWidget("Thinned nets", (stage, send) => {
  const p = slider({ label: "p, probability to drop", format: (x) => x.toFixed(2), onInput: (value) => send("set", { p: value }) });
  let scaling = null;
  const scalingPlace = element("div");
  const draws = stepper({ label: "nets drawn", onInput: (value) => send("set", { draws: value }) });
  const one = button({ label: "Draw one", kind: "cnn-main", onClick: () => send("draw", { more: 1 }) });
  const many = button({ label: "Draw 20", onClick: () => send("draw", { more: 20 }) });
  const again = button({ label: "Start again", onClick: () => send("set", { draws: 1 }) });

  const net = svg("svg", { class: "tn-net", viewBox: `0 0 ${WIDTH} 216`, role: "img" });
  const strip = svg("svg", { class: "tn-strip", viewBox: `0 0 ${WIDTH} 128`, role: "img" });
  const notes = element("div", { class: "tn-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, p.node, scalingPlace),
    element("div", { class: "cnn-controls tn-buttons" }, one, many, again, draws.node),
    net,
    strip,
    notes,
  );

  function drawNet(view) {
    const height = (index, count) => 108 + (index - (count - 1) / 2) * 50;
    const nodes = [];
    view.units.forEach(({ kept }, j) => {
      const state = kept ? "" : " tn-off";
      for (let i = 0; i < 3; i += 1) {
        nodes.push(svg("line", { class: `tn-edge${state}`, x1: 90, y1: height(i, 3), x2: 300, y2: height(j, 4) }));
      }
      nodes.push(svg("line", { class: `tn-edge${state}`, x1: 300, y1: height(j, 4), x2: 520, y2: 108 }));
      const [x, y] = [300 + 0.42 * 220, height(j, 4) + 0.42 * (108 - height(j, 4))];
      nodes.push(svg("text", { class: `tn-weight${state}`, x, y: y - 5, "text-anchor": "middle" }, `× ${view.weights[j]}`));
    });
    for (let i = 0; i < 3; i += 1) nodes.push(svg("circle", { class: "tn-node", cx: 90, cy: height(i, 3), r: 13 }));
    view.units.forEach(({ value, kept }, j) => {
      const y = height(j, 4);
      nodes.push(svg("circle", { class: kept ? "tn-node tn-unit" : "tn-node tn-unit tn-dropped", cx: 300, cy: y, r: 19 }));
      if (kept) nodes.push(svg("text", { class: "tn-value", x: 300, y: y + 4, "text-anchor": "middle" }, value));
      else nodes.push(svg("path", { class: "tn-cross", d: `M 288 ${y - 12} l 24 24 m 0 -24 l -24 24` }));
    });
    nodes.push(svg("circle", { class: "tn-node tn-out", cx: 520, cy: 108, r: 24 }));
    nodes.push(svg("text", { class: "tn-value", x: 520, y: 112, "text-anchor": "middle" }, view.output));
    net.replaceChildren(...nodes);
    const dropped = view.units.flatMap(({ kept }, j) => (kept ? [] : [j + 1]));
    const said = dropped.length ? `units ${dropped.join(", ")} dropped` : "no unit dropped";
    net.setAttribute("aria-label", `the latest thinned net: ${said}, output ${view.output}`);
  }

  function drawStrip(view) {
    const [low, high] = view.range;
    const place = (value) => Number((STRIP.left + ((value - low) / (high - low)) * (STRIP.right - STRIP.left)).toFixed(2));
    const nodes = [svg("line", { class: "tn-axis", x1: STRIP.left, x2: STRIP.right, y1: STRIP.y, y2: STRIP.y })];
    const step = [1, 2, 5, 10, 20].find((size) => (high - low) / size <= 16);
    for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
      const label = String(tick).replace("-", "−");
      nodes.push(svg("text", { class: "tn-tick", x: place(tick), y: STRIP.y + 18, "text-anchor": "middle" }, label));
    }
    // All nets that there are: sticks above the axis, as long as their chance.
    const longest = Math.max(...view.nets.map(([, chance]) => chance));
    for (const [y, chance] of view.nets) {
      nodes.push(svg("line", { class: "tn-stick", x1: place(y), x2: place(y), y1: STRIP.y, y2: STRIP.y - 4 - 40 * (chance / longest) }));
    }
    for (const output of view.outputs) nodes.push(svg("circle", { class: "tn-dot", cx: place(output), cy: STRIP.y, r: 5 }));
    const mean = place(view.mean);
    nodes.push(svg("line", { class: "tn-mean", x1: mean, x2: mean, y1: STRIP.y - 52, y2: STRIP.y + 26 }));
    const whole = place(view.whole);
    nodes.push(svg("path", { class: "tn-whole", d: `M ${whole} ${STRIP.y + 24} l 8 10 l -8 10 l -8 -10 z` }));
    const legend = [
      [26, "tn-dot", "thinned nets drawn"],
      [196, "tn-mean", "their mean"],
      [306, "tn-whole", "whole net in use"],
      [456, "tn-stick", "all nets, by chance"],
    ];
    for (const [x, kind, words] of legend) {
      if (kind === "tn-dot") nodes.push(svg("circle", { class: kind, cx: x + 4, cy: 118, r: 5 }));
      else if (kind === "tn-whole") nodes.push(svg("path", { class: kind, d: `M ${x + 6} 110 l 6 8 l -6 8 l -6 -8 z` }));
      else nodes.push(svg("line", { class: kind, x1: x + 4, x2: x + 4, y1: 110, y2: 126 }));
      nodes.push(svg("text", { class: "tn-legend", x: x + 16, y: 122 }, words));
    }
    strip.replaceChildren(...nodes);
    strip.setAttribute("aria-label", `outputs of ${view.outputs.length} thinned nets, mean ${view.mean}, whole net ${view.whole}`);
  }

  return (view) => {
    if (scaling === null) {
      const options = view.scalings.map((name) => [name, LABELS[name]]);
      scaling = choice({ label: "scaled", options, onInput: (name) => send("set", { scaling: name }) });
      scalingPlace.replaceWith(scaling.node);
    }
    p.update(view.p[0], { min: view.p[1], max: view.p[2], step: 0.05 });
    scaling.update(view.scaling);
    const [count, min, max] = view.draws;
    draws.update(count, { min, max });
    one.disabled = many.disabled = count >= max;
    drawNet(view);
    drawStrip(view);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
