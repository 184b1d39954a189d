// The segmentation overlay's browser part; base.js stands in front of it. It draws what view_of() describes.

const SCALE = 10;
// Right, missed, too many: a colour each, and hatching so that they differ without colour.
const CODES = { 1: "rgba(47, 127, 214, 0.55)", 2: "rgba(230, 159, 0, 0.85)", 3: "rgba(204, 50, 120, 0.85)" };

/** Draw red, green and blue bytes of side × side pixels, each as a square. */
function drawPixels(canvas, side, bytes) {
  if (canvas.width !== side * SCALE) Object.assign(canvas, { width: side * SCALE, height: side * SCALE });
  const context = canvas.getContext("2d");
  const colours = new Uint8Array(bytes.buffer, bytes.byteOffset, side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    context.fillStyle = `rgb(${colours.subarray(3 * pixel, 3 * pixel + 3).join(",")})`;
    context.fillRect((pixel % side) * SCALE, Math.floor(pixel / side) * SCALE, SCALE, SCALE);
  }
}

/** Lay the codes over it: missed pixels are hatched upwards, pixels too many downwards. */
function drawCodes(canvas, side, bytes) {
  const context = canvas.getContext("2d");
  const codes = new Uint8Array(bytes.buffer, bytes.byteOffset, side * side);
  context.lineWidth = 1.6;
  context.strokeStyle = "#000";
  codes.forEach((code, pixel) => {
    if (!code) return;
    const left = (pixel % side) * SCALE;
    const top = Math.floor(pixel / side) * SCALE;
    context.fillStyle = CODES[code];
    context.fillRect(left, top, SCALE, SCALE);
    if (code === 1) return;
    context.beginPath();
    context.moveTo(left, code === 2 ? top + SCALE : top);
    context.lineTo(left + SCALE, code === 2 ? top : top + SCALE);
    context.stroke();
  });
}

export default courseWidget("Segmentation overlay", (stage, send) => {
  const scene = stepper({ label: "scene", onInput: (value) => send("set", { scene: value }) });
  const skips = choice({
    label: "skips",
    options: [
      ["yes", "with"],
      ["no", "without"],
    ],
    onInput: (value) => send("set", { skips: value === "yes" }),
  });
  const layer = choice({
    label: "laid over the scene",
    options: ["errors", "mask", "truth", "probability"].map((name) => [name, name]),
    onInput: (value) => send("set", { layer: value }),
  });
  const threshold = slider({
    label: "threshold",
    format: (value) => value.toFixed(2),
    onInput: (value) => send("set", { threshold: value }),
  });
  const plain = element("canvas", { class: "so-plain", role: "img", "aria-label": "the scene" });
  const over = element("canvas", { class: "so-over", role: "img" });
  const key = (code, words) =>
    element("span", { class: "so-key" }, element("i", { class: `so-swatch so-code-${code}`, "aria-hidden": "true" }), words);
  const legend = element("p", { class: "so-legend" });
  const notes = element("div", { class: "so-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, scene.node, skips.node, layer.node, threshold.node),
    element(
      "div",
      { class: "so-panels" },
      element("figure", {}, element("figcaption", {}, "the scene"), plain),
      element("figure", {}, legend, over),
    ),
    notes,
  );

  const legends = {
    errors: [key(1, "right"), key(2, "missed"), key(3, "too many")],
    mask: [key(1, "given to the stamp")],
    truth: [key(1, "truly the stamp")],
    probability: [element("span", {}, "white: surely the stamp")],
  };

  return (view) => {
    scene.update(view.scene[0], { min: view.scene[1], max: view.scene[2] });
    skips.update(view.skips);
    layer.update(view.layer);
    const [value, min, max, step] = view.threshold;
    threshold.update(value, { min, max, step });
    drawPixels(plain, view.side, view.picture);
    drawPixels(over, view.side, view.under);
    drawCodes(over, view.side, view.codes);
    over.setAttribute("aria-label", `the scene with ${view.layer}`);
    legend.replaceChildren(...legends[view.layer]);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
