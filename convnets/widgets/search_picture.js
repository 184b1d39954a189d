// The browser part of the search picture; base.js stands in front of it. It draws what view_of() describes.

const SIDE = 240; // of a square, in units of the view box
const STRIP = 62; // height of the projection above it, width of the one beside it
const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** Colour of a score from 0 to 1. */
function colourOf(score) {
  const at = Math.min(Math.max(score, 0), 1) * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[i].map((low, k) => Math.round(low + (at - i) * (STOPS[i + 1][k] - low)));
}

/** The landscape as a small picture; the vertical axis points up. */
function landscape([across, up], weight) {
  const canvas = document.createElement("canvas");
  canvas.width = across.length;
  canvas.height = up.length;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(across.length, up.length);
  up.forEach((b, j) =>
    across.forEach((a, i) => {
      const pixel = 4 * ((up.length - 1 - j) * across.length + i);
      picture.data.set([...colourOf((1 - weight) * a + weight * b), 255], pixel);
    }),
  );
  context.putImageData(picture, 0, 0);
  return canvas.toDataURL();
}

/** One square with its two projections. */
function square(view, side, title) {
  const node = svg("svg", { class: "sp-square", viewBox: `-8 -${STRIP + 28} ${SIDE + STRIP + 18} ${SIDE + STRIP + 54}`, role: "img" });
  const href = landscape(view.profiles, view.weight);
  node.append(svg("image", { href, x: 0, y: 0, width: SIDE, height: SIDE, preserveAspectRatio: "none" }));
  const scale = 1 / Math.max(1 - view.weight, view.weight);
  const [across, up] = view.profiles;
  const x = (share) => Number((share * SIDE).toFixed(2));
  const high = (profile, weight, k) => weight * scale * profile[k] * (STRIP - 12);
  const curve = across.map((_, k) => `${x(k / (across.length - 1))},${(-6 - high(across, 1 - view.weight, k)).toFixed(2)}`);
  const beside = up.map((_, k) => `${(SIDE + 6 + high(up, view.weight, k)).toFixed(2)},${x(1 - k / (up.length - 1))}`);
  node.append(
    svg("text", { class: "sp-title", x: 0, y: -STRIP - 12 }, title),
    svg("polyline", { class: "sp-curve", points: curve.join(" ") }),
    svg("polyline", { class: "sp-curve", points: beside.join(" ") }),
    svg("text", { class: "sp-axis", x: SIDE / 2, y: SIDE + 18, "text-anchor": "middle" }, `${view.names[0]} →`),
    svg(
      "text",
      { class: "sp-axis", x: 0, y: 0, "text-anchor": "middle", transform: `translate(${SIDE + STRIP + 2} ${SIDE / 2}) rotate(-90)` },
      `${view.names[1]} →`,
    ),
  );
  const nearest = (share, profile) => Math.round(share * (profile.length - 1));
  side.points.forEach(([px, py], k) => {
    const best = k === side.best ? " sp-best" : "";
    const top = -6 - high(across, 1 - view.weight, nearest(px, across));
    const right = SIDE + 6 + high(up, view.weight, nearest(py, up));
    node.append(
      svg("line", { class: `sp-drop${best}`, x1: x(px), x2: x(px), y1: -6, y2: top.toFixed(2) }),
      svg("circle", { class: `sp-mark${best}`, cx: x(px), cy: top.toFixed(2), r: 2.6 }),
      svg("circle", { class: `sp-mark${best}`, cx: right.toFixed(2), cy: x(1 - py), r: 2.6 }),
    );
  });
  side.points.forEach(([px, py], k) => {
    const best = k === side.best;
    if (best) node.append(svg("circle", { class: "sp-ring", cx: x(px), cy: x(1 - py), r: 10 }));
    node.append(svg("circle", { class: "sp-point", cx: x(px), cy: x(1 - py), r: 5 }));
  });
  const words = `${title}: ${side.points.length} points, ${side.values[0]} values across, ${side.values[1]} upwards`;
  node.setAttribute("aria-label", `${words}, best score ${side.found}`);
  return node;
}

export default courseWidget("Search picture", (stage, send) => {
  const points = stepper({ label: "values per setting of the grid", onInput: (value) => send("set", { points: value }) });
  const ridge = slider({ label: "place of the best learning rate", format: (v) => v.toFixed(2), onInput: (value) => send("set", { ridge: value }) });
  const weight = slider({ label: "weight of the weight decay", format: (v) => v.toFixed(2), onInput: (value) => send("set", { weight: value }) });
  const draw = button({ label: "Draw anew", kind: "cnn-main", onClick: () => send("draw") });
  const squares = element("div", { class: "sp-squares" });
  const notes = element("div", { class: "sp-notes", role: "status" });
  stage.append(element("div", { class: "cnn-controls" }, points.node, ridge.node, weight.node, draw), squares, notes);

  return (view) => {
    const [value, min, max] = view.points;
    points.update(value, { min, max });
    ridge.update(view.ridge, { min: 0, max: 1, step: 0.02 });
    weight.update(view.weight, { min: 0, max: 0.5, step: 0.05 });
    const [left, right] = [view.grid, view.random];
    squares.replaceChildren(
      square(view, left, `grid: best ${left.found.toFixed(2)}`),
      square(view, right, `random: best ${right.found.toFixed(2)}`),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
