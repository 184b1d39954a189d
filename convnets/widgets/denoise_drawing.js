// DenoiseDrawing: paper to draw on, and the same digit clean, spoilt and repaired; see denoise_drawing.py.

/** Draw bytes, 0 for paper to 255 for ink, into a canvas of exactly their size. */
function drawInk(canvas, { side, bytes }) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const ink = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const image = new ImageData(side, side);
  ink.forEach((value, at) => image.data.set([47, 127, 214, value], 4 * at)); // --plus of base.css
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export default courseWidget("Denoise your drawing", (stage, send) => {
  const kind = choice({
    label: "noise",
    options: [
      ["mask", "mask"],
      ["salt_pepper", "salt and pepper"],
      ["gaussian", "gaussian"],
    ],
    onInput: (value) => send("set", { kind: value }),
  });
  const level = slider({ label: "level", format: (value) => value.toFixed(2), onInput: (value) => send("set", { level: value }) });
  const draw = stepper({ label: "draw of the noise", onInput: (value) => send("set", { draw: value }) });
  const paper = drawingPaper({
    name: "dn",
    label: "paper: draw with the mouse, or type a digit; Backspace removes a stroke, Escape all",
    prompt: "draw a digit here, or click and type one",
    send,
  });
  const panels = element("div", { class: "dn-panels" });
  const notes = element("div", { class: "dn-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, kind.node, level.node, draw.node, paper.undo, paper.clear),
    element(
      "div",
      { class: "dn-row" },
      element("figure", { class: "dn-panel" }, element("figcaption", {}, element("b", {}, "your drawing")), paper.node),
      panels,
    ),
    notes,
  );

  return (view) => {
    kind.update(view.kind);
    const [value, min, max, step] = view.level;
    level.update(value, { min, max, step });
    draw.update(view.draw[0], { min: view.draw[1], max: view.draw[2] });
    paper.update(view);
    while (panels.children.length < view.panels.length) {
      panels.append(element("figure", { class: "dn-panel" }, element("figcaption", {}, element("b"), element("span")), element("canvas", { role: "img" })));
    }
    view.panels.forEach((panel, at) => {
      const [caption, canvas] = panels.children[at].children;
      setText(caption.children[0], panel.title);
      setText(caption.children[1], panel.words);
      canvas.setAttribute("aria-label", `${panel.title} ${panel.words}`.trim());
      drawInk(canvas, panel);
    });
    notes.replaceChildren(...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)));
  };
});
