// The browser part of the unit explorer; base.js stands in front of it. It draws what view_of() describes.

/** Draw red, green and blue bytes into a canvas of exactly their size. */
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

export default courseWidget("What excites a unit", (stage, send) => {
  let blocks = null;
  const blockPlace = element("div");
  const unit = stepper({ label: "unit", onInput: (value) => send("set", { unit: value }) });
  const slide = slider({ label: "all units", onInput: (value) => send("set", { unit: value }) });
  const crop = choice({
    label: "show",
    options: [["pictures", "pictures with boxes"], ["patches", "patches alone"]],
    onInput: (value) => send("set", { crop: value === "patches" }),
  });
  const grid = element("div", { class: "ue-grid", role: "group", "aria-label": "the nine best patches, the best one first" });
  const figures = [];
  const notes = element("div", { class: "ue-notes", role: "status" });
  stage.append(element("div", { class: "cnn-controls" }, blockPlace, unit.node, slide.node, crop.node), grid, notes);

  return (view) => {
    if (blocks === null) {
      blocks = choice({ label: "units behind", options: view.blocks, onInput: (block) => send("set", { block }) });
      blockPlace.replaceWith(blocks.node);
    }
    blocks.update(view.block);
    const [value, min, max] = view.unit;
    unit.update(value, { min, max });
    slide.update(value, { min, max });
    crop.update(view.crop);
    while (figures.length < view.patches.length) {
      const canvas = element("canvas", { role: "img" });
      const box = element("div", { class: "ue-box", "aria-hidden": "true" });
      const caption = element("figcaption", {});
      figures.push({ canvas, box, caption });
      grid.append(element("figure", {}, element("div", { class: "ue-frame" }, canvas, box), caption));
    }
    view.patches.forEach((patch, index) => {
      const { canvas, box, caption } = figures[index];
      drawPicture(canvas, view.size, patch.bytes);
      canvas.setAttribute("aria-label", patch.name);
      setText(caption, patch.value);
      box.hidden = view.crop === "patches";
      const [top, left, bottom, right] = patch.box.map((share) => 100 * share);
      Object.assign(box.style, { top: `${top}%`, left: `${left}%`, width: `${right - left}%`, height: `${bottom - top}%` });
    });
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
