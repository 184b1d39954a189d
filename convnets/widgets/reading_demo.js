// ReadingDemo: a line to draw digits on, the answers above it, the maps of every layer below; see reading_demo.py.

/** Draw int8 values, -127 to 127, into a canvas of that many pixels: positive and negative in two colours on nothing. */
function drawSigned(canvas, { width, height, values }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    const [red, green, blue] = value < 0 ? NEGATIVE : POSITIVE;
    image.data.set([red, green, blue, Math.abs(value) * 2], 4 * index);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Red, green and blue of positive and of negative values: --plus and --minus of base.css. */
const POSITIVE = [47, 127, 214];
const NEGATIVE = [217, 130, 43];

export default courseWidget("Reading demo", (stage, send) => {
  let view = null;

  const mode = choice({
    label: "digits are found by",
    options: [
      ["boxes", "boxes"],
      ["scan", "scan"],
    ],
    onInput: (value) => send("set", { mode: value }),
  });
  const pen = slider({ label: "pen", format: (value) => `${value} px`, onInput: (value) => send("set", { pen: value }) });
  const boxes = element("div", { class: "read-boxes" });
  const paper = drawingPaper({
    name: "read",
    label: "the line: draw with the mouse, or type digits; Backspace removes a stroke, Escape all, the arrow keys choose a digit",
    prompt: "draw a few digits here, or click here and type them",
    send,
    over: [boxes],
    keys: { ArrowLeft: () => step(-1), ArrowRight: () => step(1) },
  });
  const answers = element("div", { class: "read-answers", role: "group", "aria-label": "digits read; the arrow keys choose one" });
  const scan = element("canvas", { class: "read-scan", role: "img" });
  const scanRow = element("div", { class: "read-scan-row" }, element("div", { class: "read-scan-names", "aria-hidden": "true" }, element("span", {}, "0"), element("span", {}, "9")), scan);
  const layers = element("div", { class: "read-layers" });
  const bars = element("div", { class: "read-bars", role: "img" });
  const output = element("figure", { class: "read-layer read-output" }, element("figcaption", {}, element("b", {}, "output"), element("span", {}, "10")), bars);
  const notes = element("div", { class: "read-notes" });

  stage.append(
    element("div", { class: "cnn-controls" }, mode.node, pen.node, paper.undo, paper.clear),
    answers,
    paper.node,
    scanRow,
    element("div", { class: "read-body" }, layers, output),
    notes,
  );

  function step(by) {
    const wanted = view.chosen + by;
    if (wanted >= 0 && wanted < view.found.length) send("set", { chosen: wanted });
  }

  answers.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    step(by);
    answers.children[Math.min(view.found.length - 1, Math.max(0, view.chosen + by))]?.focus();
    event.preventDefault();
  });

  function drawFound() {
    const [width, height] = view.size;
    const share = (part, whole) => `${(100 * part) / whole}%`;
    boxes.replaceChildren(
      ...view.found.map(({ box: [top, left, tall, wide] }, at) =>
        element("div", {
          class: `read-box${at === view.chosen ? " read-chosen" : ""}`,
          style: `left: ${share(left, width)}; top: ${share(top, height)}; width: ${share(wide, width)}; height: ${share(tall, height)}`,
        }),
      ),
    );
    while (answers.children.length > view.found.length) answers.lastChild.remove();
    view.found.forEach(({ box, answer, sure }, at) => {
      let node = answers.children[at];
      if (node === undefined) {
        node = element("button", { type: "button", class: "read-answer", onclick: () => send("set", { chosen: at }) }, element("b"), element("small"));
        answers.append(node);
      }
      node.style.left = share(box[1] + box[3] / 2, width);
      setText(node.children[0], answer);
      setText(node.children[1], sure);
      node.setAttribute("aria-label", `digit ${at + 1}: ${answer}, ${sure}`);
      node.setAttribute("aria-pressed", at === view.chosen);
      node.setAttribute("tabindex", at === view.chosen ? 0 : -1);
    });
  }

  function drawScan() {
    scanRow.hidden = view.scan === null;
    if (view.scan === null) return;
    const { first, last, places, bytes } = view.scan;
    const shades = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = Int8Array.from(shades, (shade) => shade / 2);
    drawSigned(scan, { width: places, height: 10, values });
    const half = (last - first) / (places - 1) / 2;
    scan.style.marginLeft = `${(100 * (first - half)) / view.size[0]}%`;
    scan.style.width = `${(100 * (last - first + 2 * half)) / view.size[0]}%`;
    scan.setAttribute("aria-label", `probability of each class, 0 at the top and 9 at the bottom, at ${places} places along the line`);
  }

  function drawLayers() {
    while (layers.children.length > view.layers.length) layers.lastChild.remove();
    view.layers.forEach((layer, at) => {
      let node = layers.children[at];
      if (node === undefined) {
        node = element("figure", { class: "read-layer" }, element("figcaption", {}, element("b"), element("span")), element("div", { class: "read-maps" }));
        layers.append(node);
      }
      node.dataset.layer = layer.name;
      node.dataset.kind = layer.height === 1 ? "strip" : layer.maps > 1 ? "maps" : "picture";
      setText(node.firstChild.children[0], layer.name);
      setText(node.firstChild.children[1], layer.shape);
      const place = node.lastChild;
      const values = new Int8Array(layer.bytes.buffer, layer.bytes.byteOffset, layer.bytes.byteLength);
      // A vector is folded into rows of twelve: 120 and 84 are multiples of it.
      const columns = layer.height === 1 ? Math.min(12, layer.width) : layer.width;
      const rows = layer.height === 1 ? Math.ceil(layer.width / columns) : layer.height;
      const size = columns * rows;
      while (place.children.length > layer.maps) place.lastChild.remove();
      while (place.children.length < layer.maps) place.append(element("canvas", {}));
      [...place.children].forEach((canvas, map) => {
        const own = new Int8Array(size);
        own.set(values.subarray(map * layer.width * layer.height, (map + 1) * layer.width * layer.height));
        drawSigned(canvas, { width: columns, height: rows, values: own });
      });
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", `${layer.name}, ${layer.shape}`);
    });
  }

  function drawBars() {
    output.hidden = view.bars.length === 0;
    bars.setAttribute("aria-label", `probabilities: ${view.bars.map((p, digit) => `${digit} ${(100 * p).toFixed(0)} %`).join(", ")}`);
    const top = Math.max(...view.bars);
    bars.replaceChildren(
      ...view.bars.map((p, digit) =>
        element("div", { class: `read-bar${p === top ? " read-top" : ""}` }, element("span", {}, String(digit)), element("i", { style: `width: ${(100 * p).toFixed(1)}%` })),
      ),
    );
  }
  return (next) => {
    view = next;
    const [value, min, max] = view.pen;
    mode.update(view.mode);
    pen.update(value, { min, max });
    paper.update({ ...view, pen: value });
    drawFound();
    drawScan();
    drawLayers();
    drawBars();
    notes.replaceChildren(...view.notes.map(({ words, wrong }) => element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words)));
  };
});
