// CodeExplorer: the plane of codes with a cross, and what the decoder paints there; see code_explorer.py.

/** Draw bytes, 0 for paper to 255 for ink, into a canvas of exactly their size. */
function drawInk(canvas, { side, bytes }) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const ink = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const image = new ImageData(side, side);
  ink.forEach((value, at) => image.data.set([47, 127, 214, value], 4 * at)); // --plus of base.css
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Colours of the digits 0 to 9, told apart on white and on black; the figure itself is the second channel. */
const COLOURS = ["#2f7fd6", "#d55e00", "#009e73", "#cc5f9a", "#3fa7dd", "#c98a00", "#8a6fd1", "#7a8b00", "#d0453f", "#7d7d7d"];
const PLANE = 480;

export default courseWidget("Code explorer", (stage, send) => {
  let view = null;
  let drawn = "";
  let dragging = false;

  const show = choice({
    label: "the plane shows",
    options: [
      ["points", "test digits"],
      ["pictures", "what is painted"],
    ],
    onInput: (value) => send("set", { show: value }),
  });
  const points = element("canvas", { class: "ce-points", width: 2 * PLANE, height: 2 * PLANE });
  const atlas = element("canvas", { class: "ce-atlas" });
  const cross = element("div", { class: "ce-cross" });
  const plane = element(
    "div",
    {
      class: "ce-plane",
      role: "application",
      tabindex: 0,
      "aria-label": "the plane of codes: drag the cross, or move it with the arrow keys; a digit takes it to the middle of its class",
    },
    atlas,
    points,
    cross,
  );
  const panels = element("div", { class: "ce-panels" });
  const notes = element("div", { class: "ce-notes", role: "status" });
  stage.append(element("div", { class: "cnn-controls" }, show.node), element("div", { class: "ce-row" }, plane, panels), notes);

  function moveTo(event) {
    const box = plane.getBoundingClientRect();
    const within = (share) => Math.min(1, Math.max(0, share));
    const x = within((event.clientX - box.left) / box.width);
    const y = within(1 - (event.clientY - box.top) / box.height);
    putCross(x, y); // ahead of the kernel's answer
    send("set", { x, y });
  }

  function putCross(x, y) {
    cross.style.left = `${100 * x}%`;
    cross.style.top = `${100 * (1 - y)}%`;
  }

  plane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    plane.setPointerCapture(event.pointerId);
    plane.focus({ preventScroll: true });
    dragging = true;
    moveTo(event);
    event.preventDefault();
  });
  plane.addEventListener("pointermove", (event) => {
    if (dragging) moveTo(event);
  });
  for (const name of ["pointerup", "pointercancel"]) plane.addEventListener(name, () => (dragging = false));
  plane.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (by) send("move", { dx: by[0] * view.step, dy: by[1] * view.step });
    else if (/^[0-9]$/.test(event.key)) send("digit", { digit: Number(event.key) });
    else return;
    event.preventDefault();
  });

  function drawPoints(dots) {
    const values = new Float32Array(dots.buffer.slice(dots.byteOffset, dots.byteOffset + dots.byteLength));
    const pen = points.getContext("2d");
    pen.clearRect(0, 0, points.width, points.height);
    pen.font = "22px sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (let at = 0; at < values.length; at += 3) {
      const [x, y, label] = values.subarray(at, at + 3);
      pen.fillStyle = COLOURS[label];
      pen.fillText(String(label), x * points.width, (1 - y) * points.height);
    }
  }

  return (next) => {
    view = next;
    show.update(view.show);
    points.hidden = view.show !== "points";
    atlas.hidden = view.show !== "pictures";
    // The plane stays as it is while the cross moves.
    if (drawn !== view.show) {
      drawn = view.show;
      if (view.atlas === null) drawPoints(view.dots);
      else drawInk(atlas, view.atlas);
    }
    if (!dragging) putCross(view.x, view.y);
    while (panels.children.length < view.panels.length) {
      panels.append(element("figure", { class: "ce-panel" }, element("figcaption", {}, element("b"), element("span")), element("canvas", { role: "img" })));
    }
    view.panels.forEach((panel, at) => {
      const [caption, canvas] = panels.children[at].children;
      setText(caption.children[0], panel.title);
      setText(caption.children[1], panel.words);
      canvas.setAttribute("aria-label", `${panel.title}, ${panel.words}`);
      drawInk(canvas, panel);
    });
    notes.replaceChildren(...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)));
  };
});
