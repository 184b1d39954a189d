// Paper to draw on with mouse, pen or finger, or to type digits on; for widgets whose state has `strokes`.

/**
 * Make the paper and the two buttons that take strokes away.
 * @param over elements that lie between the ink and the hint
 * @param keys what further keys do: their names, and functions
 * @returns node, undo, clear, and update({ strokes, size: [width, height], pen }), which draws what Python knows
 */
function drawingPaper({ name, label, prompt, send, over = [], keys = {} }) {
  let view = null;
  /** The stroke under the mouse, ahead of the kernel's answer; null when the mouse is up. */
  let draft = null;
  /** What was on the paper when that stroke began. */
  let before = [];

  const undo = button({ label: "Undo stroke", onClick: () => send("undo") });
  const clear = button({ label: "Clear", onClick: () => send("set", { strokes: [] }) });
  const ink = svg("g", {});
  const paper = svg("svg", { class: `cnn-drawing-paper ${name}-paper`, role: "img", tabindex: 0, "aria-label": label }, ink);
  const hint = element("div", { class: `cnn-drawing-hint ${name}-hint`, "aria-hidden": "true" }, prompt);

  function place(event) {
    const box = paper.getBoundingClientRect();
    const [width, height] = view.size;
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    return [within(((event.clientX - box.left) / box.width) * width, width), within(((event.clientY - box.top) / box.height) * height, height)];
  }

  const strokes = () => (draft === null ? view.strokes : [...before, draft]);

  function draw() {
    const wanted = strokes();
    while (ink.children.length > wanted.length) ink.lastChild.remove();
    while (ink.children.length < wanted.length) ink.append(svg("polyline", {}));
    wanted.forEach((stroke, at) => {
      // A single point is drawn as a line to itself: its round ends make a dot.
      const points = stroke.length === 1 ? [stroke[0], stroke[0]] : stroke;
      ink.children[at].setAttribute("points", points.map((point) => point.join(",")).join(" "));
    });
    paper.setAttribute("viewBox", `0 0 ${view.size.join(" ")}`);
    ink.setAttribute("stroke-width", view.pen);
    hint.hidden = wanted.length > 0;
  }

  paper.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    paper.setPointerCapture(event.pointerId);
    paper.focus({ preventScroll: true });
    before = view.strokes;
    draft = [place(event)];
    draw();
    event.preventDefault();
  });
  paper.addEventListener("pointermove", (event) => {
    if (draft === null) return;
    const [x, y] = place(event);
    const [lastX, lastY] = draft.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < 3) return;
    draft.push([x, y]);
    draw();
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
    else if (Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
  });

  return {
    node: element("div", { class: `cnn-drawing ${name}-line` }, paper, ...over, hint),
    undo,
    clear,
    update(next) {
      view = next;
      undo.disabled = clear.disabled = view.strokes.length === 0;
      draw();
    },
  };
}
