// The receptive-field painter's browser part; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Receptive-field painter", (stage, send) => {
  const control = (name, label) => [name, slider({ label, onInput: (value) => send("set", { [name]: value }) })];
  const sliders = new Map([
    control("kernel", "kernel size"),
    control("stride", "stride"),
    control("padding", "padding"),
    control("dilation", "dilation"),
    control("pixels", "pixels"),
  ]);
  const nets = ["two 3 × 3", "one 5 × 5", "pooled", "dilated", "LeNet-5", "ResNet"];
  const net = choice({ label: "net", options: nets.map((name) => [name, name]), onInput: (name) => send("net", { name }) });
  const layers = element("span", { class: "rf-layers", role: "group", "aria-label": "layer to change" });
  const add = button({ label: "+", title: "add a layer at the top", onClick: () => send("add") });
  const remove = button({ label: "−", title: "remove the top layer", onClick: () => send("remove") });

  // Sizes in the picture's own units; it is scaled to the width that is there.
  const [WIDTH, LABEL, ROW, BOX] = [880, 130, 64, 30];
  let view = null;
  const picture = svg("svg", { class: "rf-picture", tabindex: 0, role: "group" });
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    send("move", { rows: by[0], columns: by[1] });
  });
  picture.addEventListener("click", (event) => {
    const unit = event.target.closest("[data-row]");
    if (unit && unit.dataset.row !== "0") send("show", { row: Number(unit.dataset.row), index: Number(unit.dataset.index) });
  });
  const notes = element("div", { class: "rf-notes", role: "status" });

  stage.append(
    net.node,
    element("div", { class: "rf-line" }, element("span", { class: "rf-legend" }, "layer to change"), layers, remove, add),
    element("div", { class: "cnn-controls rf-sliders" }, ...[...sliders.values()].map(({ node }) => node)),
    picture,
    element("p", { class: "rf-hint" }, "Click a unit above the pixels, or focus the picture and use the arrow keys."),
    notes,
  );

  function drawLayers() {
    while (layers.children.length > view.layers.length) layers.lastChild.remove();
    while (layers.children.length < view.layers.length) {
      const layer = layers.children.length;
      layers.append(button({ label: "", onClick: () => send("set", { layer }) }));
    }
    view.layers.forEach((name, index) => {
      const one = layers.children[index];
      setText(one, `${index + 1}: ${name}`);
      one.setAttribute("aria-pressed", String(index === view.layer));
    });
    add.disabled = view.layers.length >= view.most_layers;
    remove.disabled = view.layers.length <= 1;
  }

  function draw() {
    const [low, high] = view.reach;
    const scale = Math.min(44, (WIDTH - LABEL - 10) / (high - low));
    const x = (pixel) => LABEL + (pixel - low) * scale;
    const top = view.rows.length - 1;
    const y = (row) => 8 + (top - row) * ROW;
    const height = y(0) + BOX + 46;
    const nodes = [];

    // The cone from each map to the one below it.
    const ends = view.rows.map(({ first, jump, paths }) => {
      const seen = paths.flatMap((count, index) => (count ? [index] : []));
      return seen.length ? [x(first + seen[0] * jump), x(first + (seen.at(-1) + 1) * jump)] : null;
    });
    for (let row = top; row > 0; row -= 1) {
      if (!ends[row] || !ends[row - 1]) continue;
      const points = [
        [ends[row][0], y(row) + BOX],
        [ends[row][1], y(row) + BOX],
        [ends[row - 1][1], y(row - 1)],
        [ends[row - 1][0], y(row - 1)],
      ];
      nodes.push(svg("polygon", { class: "rf-cone", points: points.map((point) => point.join(",")).join(" ") }));
    }

    view.rows.forEach(({ name, field, jump, first, paths, painted }, row) => {
      const most = Math.max(...paths, 1);
      nodes.push(svg("text", { class: "rf-name", x: 0, y: y(row) + 13 }, name));
      const words = row === 0 ? `${paths.length} units` : `${paths.length} units, see ${field}`;
      nodes.push(svg("text", { class: "rf-size", x: 0, y: y(row) + 29 }, words));
      paths.forEach((count, index) => {
        const share = count / most;
        const box = { x: x(first + index * jump) + 1, y: y(row), width: Math.max(jump * scale - 2, 2), height: BOX, rx: 3 };
        const kind = `rf-unit${count ? " rf-seen" : ""}${index === painted ? " rf-painted" : ""}${row === 0 ? " rf-pixel" : ""}`;
        nodes.push(svg("rect", { ...box, class: kind, "data-row": row, "data-index": index, "data-paths": count }));
        if (!count) return;
        nodes.at(-1).style.setProperty("--share", `${Math.round(18 + 72 * share)}%`);
        if (box.width > 7 * String(count).length + 3 && index !== painted) {
          const at = { x: box.x + box.width / 2, y: y(row) + BOX / 2 };
          nodes.push(svg("text", { class: `rf-count${share > 0.55 ? " rf-on-dark" : ""}`, ...at }, String(count)));
        }
      });
    });

    const [from, to] = view.bracket;
    const below = y(0) + BOX + 8;
    const path = `M ${x(from)} ${below - 4} v 8 h ${(to + 1 - from) * scale} v -8`;
    nodes.push(svg("path", { class: `rf-bracket${view.wrong ? " rf-wrong" : ""}`, d: path }));
    const words = `${view.wrong ? "✗ " : ""}pixels ${from} to ${to}`.replaceAll("-", "−");
    const middle = Math.min(Math.max((x(from) + x(to + 1)) / 2, LABEL + 50), WIDTH - 60);
    nodes.push(svg("text", { class: `rf-bracket-words${view.wrong ? " rf-wrong" : ""}`, x: middle, y: below + 21 }, words));

    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    picture.setAttribute("aria-label", `${view.rows.length} maps; the arrow keys choose the unit whose field is painted`);
    picture.replaceChildren(...nodes);
  }

  return (next) => {
    view = next;
    for (const [name, one] of sliders) {
      const [value, min, max] = view.controls[name];
      one.update(value, { min, max });
    }
    net.update(view.net);
    drawLayers();
    draw();
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
