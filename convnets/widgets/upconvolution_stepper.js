// The upconvolution stepper's browser part; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Upconvolution stepper", (stage, send) => {
  const control = (name, label) => [name, slider({ label, onInput: (value) => send("set", { [name]: value }) })];
  const sliders = new Map([
    control("size", "input size"),
    control("kernel", "kernel size"),
    control("stride", "stride"),
    control("padding", "padding"),
    control("output_padding", "output padding"),
    control("dilation", "dilation"),
  ]);
  const kinds = (name, label) =>
    choice({
      label,
      options: [
        ["ones", "ones"],
        ["numbers", "1, 2, 3 …"],
      ],
      onInput: (value) => send("set", { [name]: value }),
    });
  const input = kinds("input", "input");
  const filter = kinds("filter", "filter");

  let view = null;
  const play = button({
    label: "▶ Play",
    kind: "cnn-main us-play",
    onClick: () => (view.playing ? send("set", { playing: false }) : send("play")),
  });
  const step = button({ label: "Step", onClick: () => send("step") });
  const all = button({ label: "All", title: "all stamps", onClick: () => send("end") });
  const reset = button({ label: "Reset", onClick: () => send("reset") });

  const keys = (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) send("move", { rows: by[0], columns: by[1] });
    else if (event.key === "Home") send("reset");
    else if (event.key === "End") send("end");
    else return;
    event.preventDefault();
  };
  const point = (event) => {
    const cell = event.target.closest(".us-cell");
    if (cell) send("show", { row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  };
  const grids = {
    x: element("div", { class: "us-grid us-chooser us-x", role: "group", tabindex: 0, onkeydown: keys, onclick: point }),
    weight: element("div", { class: "us-grid us-weight", role: "img" }),
    y: element("div", { class: "us-grid us-y", role: "img" }),
  };
  const titles = Object.fromEntries(Object.keys(grids).map((name) => [name, element("h4")]));
  const panel = (name) => element("div", { class: "us-panel" }, titles[name], grids[name]);
  const sign = (text) => element("span", { class: "us-sign", "aria-hidden": "true" }, text);
  const overlap = element("p", { class: "us-overlap" });
  const notes = element("div", { class: "us-notes", role: "status" });

  stage.append(
    element(
      "div",
      { class: "us-head" },
      element("div", { class: "us-choices" }, input.node, filter.node),
      element("div", { class: "us-buttons" }, play, step, all, reset),
    ),
    element("div", { class: "cnn-controls us-sliders" }, ...[...sliders.values()].map(({ node }) => node)),
    element(
      "div",
      { class: "us-table" },
      element("div", { class: "us-left" }, panel("x"), sign("∗"), panel("weight")),
      sign("→"),
      panel("y"),
    ),
    overlap,
    element("p", { class: "us-hint" }, "Click a pixel of x, or focus it and use the arrow keys, Home and End."),
    notes,
  );

  /** Draw one grid; classOf(cell) says how a cell looks. */
  function draw(name, title, rows, classOf) {
    const node = grids[name];
    const columns = rows[0].length;
    setText(titles[name], title);
    node.setAttribute("aria-label", `${title}, ${rows.length} rows, ${columns} columns`);
    node.style.setProperty("--columns", columns);
    while (node.children.length > rows.length * columns) node.lastChild.remove();
    while (node.children.length < rows.length * columns) node.append(element("span"));
    rows.flat().forEach((cell, index) => {
      const span = node.children[index];
      span.className = `us-cell ${classOf(cell)}${cell.wrong ? " us-wrong" : ""}`;
      span.dataset.row = Math.floor(index / columns);
      span.dataset.column = index % columns;
      span.style.setProperty("--share", cell.share ?? 0);
      span.title = cell.wrong || "";
      setText(span, cell.text);
    });
  }

  return (next) => {
    view = next;
    for (const [name, one] of sliders) {
      const [value, min, max] = view.controls[name];
      one.update(value, { min, max });
    }
    input.update(view.input);
    filter.update(view.filter);
    setText(play, view.playing ? "❚❚ Pause" : "▶ Play");
    step.disabled = view.at_end;
    draw("x", "x, the input", view.x, (cell) => (cell.here ? "us-here" : cell.sent ? "us-sent" : "us-waits"));
    draw("weight", "the filter", view.weight, () => "");
    draw("y", view.sizes, view.y, (cell) =>
      [cell.kept ? "us-kept" : "us-cut", cell.here && "us-under"].filter(Boolean).join(" "),
    );
    setText(overlap, view.overlap);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
