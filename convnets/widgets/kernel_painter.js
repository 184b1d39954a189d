// The kernel painter's browser part; base.js stands in front of it. It draws what view_of() describes.

/** Draw grey bytes, one a pixel, into a canvas of exactly that many pixels. */
function drawGrey(canvas, { width, height, bytes }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const grey = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const image = new ImageData(width, height);
  const colours = new Uint32Array(image.data.buffer);
  for (let index = 0; index < grey.length; index += 1) {
    colours[index] = 0xff000000 | (grey[index] * 0x010101);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export default courseWidget("Kernel painter", (stage, send) => {
  let view = null;
  let presets = null;
  const presetPlace = element("div");
  const size = choice({
    label: "kernel size",
    options: [
      [3, "3 × 3"],
      [5, "5 × 5"],
    ],
    onInput: (side) => send("resize", { side }),
  });
  const kernel = numberGrid({
    label: "kernel",
    onInput: (row, column, weight) => send("weigh", { row, column, weight }),
  });
  const brush = choice({
    label: "a click paints",
    options: [
      [null, "nothing"],
      [-1, "−1"],
      [0, "0"],
      [1, "1"],
      [2, "2"],
    ],
    onInput: (weight) => send("set", { brush: weight }),
  });
  const divisor = stepper({ label: "divided by", onInput: (value) => send("set", { divisor: value }) });

  function paint(event) {
    const { row, column } = event.target.dataset;
    if (view.brush === null || row === undefined || event.buttons !== 1) return;
    send("weigh", { row: Number(row), column: Number(column), weight: view.brush });
  }
  kernel.node.addEventListener("pointerdown", (event) => {
    // A touch is captured by the cell it starts on; the cells it passes over shall be painted as well.
    if (event.target.hasPointerCapture?.(event.pointerId)) event.target.releasePointerCapture(event.pointerId);
    paint(event);
  });
  kernel.node.addEventListener("pointerover", paint);

  const photo = element("canvas", { role: "img", "aria-label": "the photograph" });
  const result = element("canvas", { role: "img" });
  const frame = element("div", { class: "kp-frame", "aria-hidden": "true" }, element("span", {}, "yours"));
  const sum = element("b");
  const meaning = element("span");
  const legend = element("span", { class: "kp-legend" });
  const notes = element("div", { class: "kp-notes", role: "status" });

  const figure = (name, title, ...children) =>
    element("figure", { class: `kp-${name}` }, element("figcaption", {}, ...title), element("div", { class: "kp-canvas" }, ...children));
  stage.append(
    element("div", { class: "cnn-controls" }, presetPlace, size.node),
    element(
      "div",
      { class: "kp-panels" },
      element("div", { class: "kp-kernel" }, element("h4", {}, "kernel"), kernel.node, divisor.node, brush.node),
      figure("photo", ["photograph"], photo),
      figure("result", ["result ", legend], result, frame),
      element("div", { class: "kp-words" }, element("p", {}, "sum of the weights ", sum, " ", meaning), notes),
    ),
  );

  return (next) => {
    view = next;
    if (presets === null) {
      presets = choice({ label: "preset", options: view.presets, onInput: (name) => send("preset", { name }) });
      presetPlace.replaceWith(presets.node);
    }
    presets.update(view.preset);
    size.update(view.side);
    brush.update(view.brush);
    kernel.update(view.kernel);
    kernel.node.classList.toggle("kp-brush", view.brush !== null);
    const [value, min, max] = view.divisor;
    divisor.update(value, { min, max });
    drawGrey(photo, view.photo);
    drawGrey(result, view.result);
    result.setAttribute("aria-label", `the photograph under this kernel. ${view.status}`);
    // The result is smaller by the kernel's side - 1; drawn to the photograph's scale, the two can be compared.
    result.style.width = `${(100 * view.result.width) / view.photo.width}%`;
    const ratio = `${view.photo.width} / ${view.photo.height}`;
    photo.parentNode.style.aspectRatio = ratio;
    result.parentNode.style.aspectRatio = ratio;
    setText(legend, view.signed ? "· 0 is mid-grey" : "");
    frame.hidden = view.frame === null;
    if (view.frame !== null) {
      const [top, left, height, width] = view.frame;
      const margin = (view.side - 1) / 2;
      frame.style.top = `${(100 * (top + margin)) / view.photo.height}%`;
      frame.style.left = `${(100 * (left + margin)) / view.photo.width}%`;
      frame.style.width = `${(100 * width) / view.photo.width}%`;
      frame.style.height = `${(100 * height) / view.photo.height}%`;
    }
    setText(sum, view.sum);
    setText(meaning, view.meaning);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
