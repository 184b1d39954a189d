// The terms of a convolution: the browser part; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Terms of a convolution", (stage, send) => {
  const control = (name, label) => [name, slider({ label, onInput: (value) => send("set", { [name]: value }) })];
  const sliders = new Map([
    control("size", "input size"),
    control("kernel", "kernel size"),
    control("stride", "stride"),
    control("padding", "padding"),
    control("dilation", "dilation"),
  ]);
  let view = null;

  /** A grid that is looked at only. */
  const source = (name) => [name, element("div", { class: "ct-grid", role: "img" })];

  /** A grid whose cells are pointed at, by hovering, by a click, or by Tab and the arrow keys. */
  function target(name) {
    const point = (event) => {
      const cell = event.target.closest(".ct-cell");
      if (!cell) return;
      const [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
      const there = view.target === name && view.cell[0] === row && view.cell[1] === column;
      if (!there) send("set", { target: name, cell: [row, column] });
    };
    const node = element("div", {
      class: "ct-grid ct-target",
      role: "group",
      tabindex: 0,
      onpointerover: point,
      onclick: point,
      onfocus: () => {
        if (view.target !== name) send("enter", { target: name });
      },
      onkeydown: (event) => {
        const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
        if (by) send("move", { rows: by[0], columns: by[1] });
        else if (event.key === "Home") send("set", { target: name, cell: [0, 0] });
        else return;
        event.preventDefault();
      },
    });
    return [name, node];
  }

  const grids = new Map([
    source("x"),
    source("weight"),
    source("grad_output"),
    target("y"),
    target("grad_x"),
    target("grad_weight"),
    target("grad_bias"),
  ]);
  const bias = element("div", { class: "ct-grid ct-bias" }, element("span", { class: "ct-cell" }));
  const titles = new Map([...grids.keys()].map((name) => [name, element("h4")]));
  const panel = (name) => element("div", { class: `ct-panel ct-panel-${name}` }, titles.get(name), grids.get(name));
  const sign = (text) => element("span", { class: "ct-sign", "data-sign": text, "aria-hidden": "true" }, text);
  const sum = element("div", { class: "ct-sum" });
  const notes = element("div", { class: "ct-notes", role: "status" });

  stage.append(
    element("div", { class: "cnn-controls ct-sliders" }, ...[...sliders.values()].map(({ node }) => node)),
    element(
      "div",
      { class: "ct-row" },
      element("h3", {}, "forwards"),
      panel("x"),
      sign("⋆"),
      panel("weight"),
      sign("+"),
      element("div", { class: "ct-panel" }, element("h4", {}, "b"), bias),
      sign("="),
      panel("y"),
    ),
    element(
      "div",
      { class: "ct-row" },
      element("h3", {}, "backwards"),
      panel("grad_output"),
      sign("→"),
      panel("grad_x"),
      panel("grad_weight"),
      panel("grad_bias"),
    ),
    element("p", { class: "ct-hint" }, "Point at a cell of a framed grid, or reach the grid with Tab and use the arrow keys."),
    sum,
    notes,
  );

  const names = {
    x: "x, the input",
    weight: "w, the kernel",
    y: "y, the output",
    grad_output: "grad_output = ∂L/∂y",
    grad_x: "grad_x = ∂L/∂x",
    grad_weight: "grad_weight = ∂L/∂w",
    grad_bias: "grad_bias = ∂L/∂b",
  };

  function drawGrid(name, rows) {
    const node = grids.get(name);
    const columns = rows[0].length;
    setText(titles.get(name), names[name]);
    node.setAttribute("aria-label", `${names[name]}, ${rows.length} rows, ${columns} columns`);
    node.style.setProperty("--columns", columns);
    while (node.children.length > rows.length * columns) node.lastChild.remove();
    while (node.children.length < rows.length * columns) node.append(element("span"));
    rows.flat().forEach(({ text, terms, wrong }, index) => {
      const cell = node.children[index];
      const [row, column] = [Math.floor(index / columns), index % columns];
      const here = view.target === name && view.cell[0] === row && view.cell[1] === column;
      cell.className = `ct-cell${terms.length ? " ct-used" : ""}${here ? " ct-here" : ""}${wrong ? " ct-wrong" : ""}`;
      cell.dataset.row = row;
      cell.dataset.column = column;
      cell.dataset.terms = terms.join(" ");
      cell.title = wrong ?? "";
      setText(cell, text);
    });
  }

  /** One line "left = a + b + … = total"; terms with a factor 0 are pale. */
  function line(left, terms, total) {
    const parts = terms.flatMap((term, index) => {
      const nothing = /(^|·)0($|·)/.test(term);
      return [index > 0 ? " + " : "", element("span", { class: nothing ? "ct-term ct-nothing" : "ct-term" }, term)];
    });
    if (terms.length === 0) parts.push("0");
    return element("p", {}, element("span", { class: "ct-left" }, `${left} = `), ...parts, total);
  }

  return (next) => {
    view = next;
    for (const [name, one] of sliders) {
      const [value, min, max] = view.controls[name];
      one.update(value, { min, max });
    }
    for (const [name, rows] of Object.entries(view.grids)) drawGrid(name, rows);
    setText(bias.firstChild, view.bias);
    bias.firstChild.classList.toggle("ct-used", view.bias_used);
    sum.replaceChildren(
      line(view.symbol, view.symbols, ""),
      ...(view.products.length > 0
        ? [line("", view.products, element("span", {}, " = ", element("b", {}, view.total)))]
        : []),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
