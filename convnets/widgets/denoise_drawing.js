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
  let view = null;
  /** The stroke under the mouse, ahead of the kernel's answer; null when the mouse is up. */
  let draft = null;
  /** What was on the paper when that stroke began. */
  let before = [];

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
  const undo = button({ label: "Undo stroke", onClick: () => send("undo") });
  const clear = button({ label: "Clear", onClick: () => send("set", { strokes: [] }) });

  const ink = svg("g", {});
  const paper = svg(
    "svg",
    {
      class: "dn-paper",
      role: "img",
      tabindex: 0,
      "aria-label": "paper: draw with the mouse, or type a digit; Backspace removes a stroke, Escape all",
    },
    ink,
  );
  const hint = element("div", { class: "dn-hint", "aria-hidden": "true" }, "draw a digit here, or click and type one");
  const panels = element("div", { class: "dn-panels" });
  const notes = element("div", { class: "dn-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, kind.node, level.node, draw.node, undo, clear),
    element(
      "div",
      { class: "dn-row" },
      element("figure", { class: "dn-panel" }, element("figcaption", {}, element("b", {}, "your drawing")), element("div", { class: "dn-line" }, paper, hint)),
      panels,
    ),
    notes,
  );

  function place(event) {
    const box = paper.getBoundingClientRect();
    const within = (share) => Math.min(view.size, Math.max(0, Math.round(share * view.size)));
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  const strokes = () => (draft === null ? view.strokes : [...before, draft]);

  function drawPaper() {
    const wanted = strokes();
    while (ink.children.length > wanted.length) ink.lastChild.remove();
    while (ink.children.length < wanted.length) ink.append(svg("polyline", {}));
    wanted.forEach((stroke, at) => {
      // A single point is drawn as a line to itself: its round ends make a dot.
      const points = stroke.length === 1 ? [stroke[0], stroke[0]] : stroke;
      ink.children[at].setAttribute("points", points.map((point) => point.join(",")).join(" "));
    });
    paper.setAttribute("viewBox", `0 0 ${view.size} ${view.size}`);
    ink.setAttribute("stroke-width", view.pen);
    hint.hidden = wanted.length > 0;
  }

  paper.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    paper.setPointerCapture(event.pointerId);
    paper.focus({ preventScroll: true });
    before = view.strokes;
    draft = [place(event)];
    drawPaper();
    event.preventDefault();
  });
  paper.addEventListener("pointermove", (event) => {
    if (draft === null) return;
    const [x, y] = place(event);
    const [lastX, lastY] = draft.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < 3) return;
    draft.push([x, y]);
    drawPaper();
    send("set", { strokes: strokes() });
  });
  const release = () => {
    if (draft === null) return;
    const all = strokes();
    draft = null;
    view = { ...view, strokes: all }; // until the answer comes, the paper holds what was drawn
    send("set", { strokes: all });
  };
  paper.addEventListener("pointerup", release);
  paper.addEventListener("pointercancel", release);
  paper.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) send("type", { digit: event.key });
    else if (event.key === "Backspace") send("undo");
    else if (event.key === "Escape") send("set", { strokes: [] });
    else return;
    event.preventDefault();
  });

  return (next) => {
    view = next;
    kind.update(view.kind);
    const [value, min, max, step] = view.level;
    level.update(value, { min, max, step });
    draw.update(view.draw[0], { min: view.draw[1], max: view.draw[2] });
    undo.disabled = clear.disabled = view.strokes.length === 0;
    drawPaper();
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
