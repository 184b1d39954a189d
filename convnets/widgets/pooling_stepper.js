// The pooling stepper's browser part; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Pooling stepper", (stage, send) => {
  const control = (name, label) => [name, slider({ label, onInput: (value) => send("set", { [name]: value }) })];
  const sliders = new Map([
    control("size", "map size"),
    control("kernel", "kernel size"),
    control("stride", "stride"),
    control("padding", "padding"),
  ]);
  const kind = choice({
    label: "pooling",
    options: [
      ["max", "max"],
      ["avg", "average"],
    ],
    onInput: (value) => send("set", { kind: value }),
  });
  const map = choice({
    label: "map",
    options: [
      ["numbers", "numbers"],
      ["relu", "after a ReLU"],
    ],
    onInput: (value) => send("set", { map: value }),
  });
  const box = element("input", { type: "checkbox", onchange: () => send("switch", { on: box.checked }) });
  const boxWords = element("span");
  const boxLabel = element("label", { class: "ps-check" }, box, boxWords);

  let view = null;
  const play = button({
    label: "▶ Play",
    kind: "cnn-main ps-play",
    onClick: () => (view.playing ? send("set", { playing: false }) : send("play")),
  });
  const step = button({ label: "Step", onClick: () => send("step") });
  const reset = button({ label: "Reset", onClick: () => send("reset") });

  const keys = (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) send("move", { rows: by[0], columns: by[1] });
    else if (event.key === "Home") send("reset");
    else return;
    event.preventDefault();
  };
  const point = (event) => {
    const cell = event.target.closest(".ps-cell");
    if (cell) send("show", { row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  };
  const picture = (name) => element("div", { class: `ps-grid ps-${name}`, role: "img" });
  const chooser = (name) =>
    element("div", { class: `ps-grid ps-chooser ps-${name}`, role: "group", tabindex: 0, onkeydown: keys, onclick: point });

  const grids = { x: picture("x"), y: chooser("y"), grad_x: picture("grad_x"), grad_output: chooser("grad_output") };
  const frame = element("div", { class: "ps-frame", "aria-hidden": "true" });
  const titles = Object.fromEntries(Object.keys(grids).map((name) => [name, element("h4")]));
  const panel = (name, ...more) =>
    element("div", { class: "ps-panel" }, titles[name], element("div", { class: "ps-board" }, grids[name], ...more));
  const arrow = (text) => element("span", { class: "ps-arrow", "aria-hidden": "true" }, text);
  const notes = element("div", { class: "ps-notes", role: "status" });

  stage.append(
    element(
      "div",
      { class: "ps-head" },
      element("div", { class: "ps-choices" }, kind.node, map.node),
      element("div", { class: "ps-buttons" }, play, step, reset),
    ),
    element("div", { class: "cnn-controls ps-sliders" }, ...[...sliders.values()].map(({ node }) => node), boxLabel),
    element(
      "div",
      { class: "ps-table" },
      element("h3", {}, "forwards"),
      panel("x", frame),
      arrow("→"),
      panel("y"),
      element("h3", {}, "backwards"),
      panel("grad_x"),
      arrow("←"),
      panel("grad_output"),
    ),
    element("p", { class: "ps-hint" }, "Click a cell on the right, or focus a framed grid and use the arrow keys."),
    notes,
  );

  const names = {
    x: "x, the map",
    y: "y, the output",
    grad_x: "grad_x so far",
    grad_output: "grad_output, the gradient of y",
  };

  /** Draw one grid; classOf(cell) says how a cell looks. */
  function draw(name, rows, classOf) {
    const node = grids[name];
    const columns = rows[0].length;
    setText(titles[name], names[name]);
    node.setAttribute("aria-label", `${names[name]}, ${rows.length} rows, ${columns} columns`);
    node.parentNode.style.setProperty("--columns", columns);
    while (node.children.length > rows.length * columns) node.lastChild.remove();
    while (node.children.length < rows.length * columns) node.append(element("span"));
    rows.flat().forEach((cell, index) => {
      const span = node.children[index];
      const long = cell.text.length > 4 ? " ps-long" : "";
      span.className = `ps-cell ${classOf(cell)}${cell.wrong ? " ps-wrong" : ""}${long}`;
      span.dataset.row = Math.floor(index / columns);
      span.dataset.column = index % columns;
      span.title = cell.wrong || "";
      setText(span, cell.text);
    });
  }

  /** Surround the gradient with blank cells, so that it stands below the framed map. */
  function framed(rows, side, padding) {
    const blank = { text: "", kind: "blank" };
    return Array.from({ length: side }, (_, i) =>
      Array.from({ length: side }, (_, j) => rows[i - padding]?.[j - padding] ?? blank),
    );
  }

  return (next) => {
    view = next;
    for (const [name, one] of sliders) {
      const [value, min, max] = view.controls[name];
      one.update(value, { min, max });
    }
    kind.update(view.kind);
    map.update(view.map);
    box.checked = view.switch;
    setText(boxWords, view.kind === "max" ? "ceil mode" : "padding counts");
    setText(play, view.playing ? "❚❚ Pause" : "▶ Play");
    step.disabled = view.at_end;

    draw("x", view.x, (cell) =>
      [`ps-${cell.kind}`, cell.covered && "ps-covered", cell.wins && "ps-wins", cell.ties && "ps-ties"]
        .filter(Boolean)
        .join(" "),
    );
    draw("y", view.y, (cell) => (cell.here ? "ps-here" : ""));
    draw("grad_output", view.grad_output, (cell) => (cell.here ? "ps-here" : cell.sent ? "ps-sent" : "ps-waits"));
    draw("grad_x", framed(view.grad_x, view.x.length, view.frame), (cell) =>
      cell.kind === "blank" ? "ps-blank" : cell.here ? "ps-gets" : cell.text === "0" ? "ps-waits" : "ps-sent",
    );
    frame.style.setProperty("--row", view.start[0]);
    frame.style.setProperty("--column", view.start[1]);
    frame.style.setProperty("--size", view.kernel);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
