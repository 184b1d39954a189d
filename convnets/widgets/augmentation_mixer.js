// The augmentation mixer's browser part; base.js stands in front of it. It draws what view_of() describes.

/** Draw picture number `index` of red, green and blue bytes into a canvas of exactly its size. */
function drawColours(canvas, { side, bytes }, index) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const image = new ImageData(side, side);
  const colours = new Uint8Array(bytes.buffer, bytes.byteOffset + index * side * side * 3, side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    image.data.set(colours.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export default courseWidget("Augmentation mixer", (stage, send) => {
  let photographs = null;
  const photographPlace = element("div");
  const twoDigits = (value) => String(Number(value.toFixed(2)));
  const sliders = {};
  for (const [name, label, format] of [
    ["flip_p", "mirror, probability", twoDigits],
    ["shift_by", "shift, pixels", String],
    ["crop", "crop, pixels less", String],
    ["noise", "noise, std", twoDigits],
    ["colour", "colour, α", twoDigits],
  ]) {
    sliders[name] = slider({ label, format, onInput: (value) => send("set", { [name]: value }) });
  }
  const draw = stepper({ label: "draw", onInput: (value) => send("set", { draw: value }) });

  const original = element("canvas", { role: "img", "aria-label": "the photograph" });
  const versions = element("div", { class: "am-versions", role: "group", "aria-label": "versions" });
  const notes = element("div", { class: "am-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls am-controls" }, photographPlace, draw.node),
    element("div", { class: "cnn-controls am-controls" }, ...Object.values(sliders).map((own) => own.node)),
    element(
      "div",
      { class: "am-panels" },
      element("figure", { class: "am-original" }, element("figcaption", {}, "the photograph"), original),
      element("figure", { class: "am-mixed" }, element("figcaption", {}, "six draws"), versions),
    ),
    notes,
  );

  return (view) => {
    if (photographs === null) {
      const options = view.photographs.map((name) => [name, name]);
      photographs = choice({ label: "photograph", options, onInput: (name) => send("set", { photograph: name }) });
      photographPlace.replaceWith(photographs.node);
    }
    photographs.update(view.photograph);
    for (const [name, [value, min, max, step]] of Object.entries(view.sliders)) {
      sliders[name].update(value, { min, max, step });
    }
    draw.update(view.draw[0], { min: view.draw[1], max: view.draw[2] });
    drawColours(original, view.original, 0);
    if (versions.children.length !== view.versions.count) {
      const canvas = (index) => element("canvas", { role: "img", "aria-label": `version ${index + 1}` });
      versions.replaceChildren(...Array.from({ length: view.versions.count }, (_, index) => canvas(index)));
    }
    [...versions.children].forEach((canvas, index) => drawColours(canvas, view.versions, index));
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
