// The browser part of the square over a photograph; base.js stands in front of it. It draws what view_of() describes.

/** Draw a picture of red, green and blue bytes into a canvas of exactly its size. */
function drawPicture(canvas, size, bytes) {
  if (canvas.width !== size) Object.assign(canvas, { width: size, height: size });
  const image = new ImageData(size, size);
  const colours = new Uint8Array(bytes.buffer, bytes.byteOffset, size * size * 3);
  for (let pixel = 0; pixel < size * size; pixel += 1) {
    image.data.set(colours.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draw the map: dark orange where the score is 0, white where it is 1. */
function drawMap(canvas, places, bytes) {
  if (canvas.width !== places) Object.assign(canvas, { width: places, height: places });
  const scores = new Uint8Array(bytes.buffer, bytes.byteOffset, places * places);
  const image = new ImageData(places, places);
  scores.forEach((score, place) => {
    const share = score / 255;
    image.data.set([120 + 135 * share, 40 + 215 * share, 255 * share, 255], 4 * place);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export default courseWidget("A square over a photograph", (stage, send) => {
  let view = null;
  let pictures = null;
  let scores = null;
  let scoreNames = "";
  let fills = null;
  const picturePlace = element("div");
  const scorePlace = element("div", { class: "oc-scores" });
  const fillPlace = element("div");
  const side = slider({ label: "side of the square", onInput: (value) => send("set", { side: value }) });
  const row = slider({ label: "row", onInput: (value) => send("set", { row: value }) });
  const column = slider({ label: "column", onInput: (value) => send("set", { column: value }) });
  const photo = element("canvas", { role: "img" });
  const square = element("div", { class: "oc-square", "aria-hidden": "true" });
  const frame = element("div", { class: "oc-frame", tabindex: 0, role: "group" }, photo, square);
  const heat = element("canvas", { class: "oc-heat", role: "img" });
  const spot = element("div", { class: "oc-spot", "aria-hidden": "true" });
  const mapFrame = element("div", { class: "oc-frame oc-map" }, heat, spot);
  const bars = element("div", { class: "oc-bars", role: "group", "aria-label": "what the network sees" });
  const notes = element("div", { class: "oc-notes", role: "status" });
  const scale = element("span", { class: "oc-scale" }, "0", element("i", { "aria-hidden": "true" }), "1");
  stage.append(
    element("div", { class: "cnn-controls" }, picturePlace, scorePlace, fillPlace),
    element("div", { class: "cnn-controls oc-second" }, side.node, row.node, column.node),
    element(
      "div",
      { class: "oc-panels" },
      element("figure", {}, element("figcaption", {}, "drag the square, or use the arrow keys"), frame),
      element("figure", {}, element("figcaption", {}, "score by place of the square ", scale), mapFrame),
      bars,
    ),
    notes,
  );

  /** Move the square's corner, within the picture. */
  function move(top, left) {
    const most = view.size - view.side[0];
    const within = (value) => Math.min(most, Math.max(0, Math.round(value)));
    send("set", { row: within(top), column: within(left) });
  }

  /** Where the pointer is on the picture, in pixels of the picture. */
  function pixel(event, node) {
    const box = node.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * view.size, ((event.clientX - box.left) / box.width) * view.size];
  }

  let grip = null;
  frame.addEventListener("pointerdown", (event) => {
    const [y, x] = pixel(event, frame);
    const [top, left, length] = [view.row[0], view.column[0], view.side[0]];
    const inside = y >= top && y < top + length && x >= left && x < left + length;
    // Taken by the square, it keeps its place under the pointer; elsewhere its middle jumps to the pointer.
    grip = inside ? [y - top, x - left] : [length / 2, length / 2];
    frame.setPointerCapture(event.pointerId);
    move(y - grip[0], x - grip[1]);
  });
  frame.addEventListener("pointermove", (event) => {
    if (grip === null) return;
    const [y, x] = pixel(event, frame);
    move(y - grip[0], x - grip[1]);
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => (grip = null));
  frame.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    move(view.row[0] + by[0] * view.step, view.column[0] + by[1] * view.step);
  });
  mapFrame.addEventListener("click", (event) => {
    const box = mapFrame.getBoundingClientRect();
    const place = (share) => Math.min(view.places - 1, Math.floor(share * view.places)) * view.step;
    move(place((event.clientY - box.top) / box.height), place((event.clientX - box.left) / box.width));
  });

  return (next) => {
    view = next;
    if (pictures === null) {
      pictures = choice({ label: "picture", options: view.pictures, onInput: (name) => send("set", { picture: name }) });
      fills = choice({ label: "filled with", options: view.fills, onInput: (name) => send("set", { fill: name }) });
      picturePlace.replaceWith(pictures.node);
      fillPlace.replaceWith(fills.node);
    }
    if (scoreNames !== view.scores.join()) {
      scoreNames = view.scores.join();
      scores = choice({ label: "score: probability of", options: view.scores, onInput: (name) => send("set", { score: name }) });
      scorePlace.replaceChildren(scores.node);
    }
    pictures.update(view.picture);
    scores.update(view.score);
    fills.update(view.fill);
    const [length, least, most, step] = view.side;
    side.update(length, { min: least, max: most, step });
    row.update(view.row[0], { min: view.row[1], max: view.row[2] });
    column.update(view.column[0], { min: view.column[1], max: view.column[2] });
    drawPicture(photo, view.size, view.bytes);
    photo.setAttribute("aria-label", view.picture);
    frame.setAttribute("aria-label", `the square at row ${view.row[0]}, column ${view.column[0]}; the arrow keys move it`);
    const percent = (pixels) => `${(100 * pixels) / view.size}%`;
    Object.assign(square.style, { top: percent(view.row[0]), left: percent(view.column[0]), width: percent(length), height: percent(length) });
    square.dataset.fill = view.fill;
    drawMap(heat, view.places, view.map);
    heat.setAttribute("aria-label", `map of p(${view.score}) for ${view.places} by ${view.places} places of the square`);
    const share = (pixels) => `${Math.min(100, (100 * (pixels / view.step + 0.5)) / view.places)}%`;
    Object.assign(spot.style, { top: share(view.row[0]), left: share(view.column[0]) });
    const bar = (name, p, kind) =>
      element(
        "div",
        { class: `oc-row ${kind}`, "data-class": name },
        element("span", { class: "oc-name", title: name }, name),
        element("span", { class: "oc-track" }, element("span", { class: "oc-bar", style: `width: ${(100 * p).toFixed(1)}%` })),
        element("span", { class: "oc-share" }, p.toFixed(3)),
      );
    bars.replaceChildren(
      element("h4", {}, `p(${view.score})`),
      bar("without the square", view.before, "oc-counts"),
      bar("with the square", view.now, "oc-counts"),
      element("h4", {}, "best classes with the square"),
      ...view.classes.map(([name, p, counts]) => bar(counts ? `• ${name}` : name, p, counts ? "oc-counts" : "")),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
