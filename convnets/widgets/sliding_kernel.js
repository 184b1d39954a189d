// The sliding kernel's browser part; base.js stands in front of it. It draws what view_of() describes.

/** Give a grid node rows×columns cells and call paint(cell, row, column) on each. */
function paintGrid(node, rows, columns, paint) {
  node.style.setProperty("--columns", columns);
  while (node.children.length > rows * columns) node.lastChild.remove();
  while (node.children.length < rows * columns) node.append(element("span"));
  for (let index = 0; index < rows * columns; index += 1) {
    paint(node.children[index], Math.floor(index / columns), index % columns);
  }
}

export default courseWidget("Sliding kernel", (stage, send) => {
  const control = (name, label) => [name, slider({ label, onInput: (value) => send("set", { [name]: value }) })];
  const sliders = new Map([
    control("image_size", "input size"),
    control("kernel_size", "kernel size"),
    control("stride", "stride"),
    control("padding", "padding"),
    control("dilation", "dilation"),
  ]);
  const mode = choice({
    label: "operation",
    options: [
      [false, "cross-correlation"],
      [true, "transposed"],
    ],
    onInput: (transposed) => send("set", { transposed }),
  });

  let view = null;
  const play = button({
    label: "▶ Play",
    kind: "cnn-main sk-play",
    onClick: () => (view.playing ? send("set", { playing: false }) : send("play")),
  });
  const step = button({ label: "Step", onClick: () => send("step") });
  const reset = button({ label: "Reset", onClick: () => send("reset") });

  const field = element("div", { class: "sk-grid sk-field", role: "img" });
  const frame = element("div", { class: "sk-frame", "aria-hidden": "true" });
  const kernel = numberGrid({
    label: "kernel",
    onInput: (row, column, weight) => send("weigh", { row, column, weight }),
  });
  const output = element("div", {
    class: "sk-grid sk-output",
    role: "group",
    tabindex: 0,
    onkeydown: (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (by) send("move", { rows: by[0], columns: by[1] });
      else if (event.key === "Home") send("reset");
      else return;
      event.preventDefault();
    },
    onclick: (event) => {
      const cell = event.target.closest(".sk-cell");
      if (cell) send("show", { row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
    },
  });
  const noOutput = element("div", { class: "sk-no-output" }, element("b", {}, "✗ cannot fit"), element("span"));
  const sum = element("p", { class: "sk-sum" });
  const formula = element("div", { class: "sk-formula" });
  const notes = element("div", { class: "sk-notes", role: "status" });
  const fieldTitle = element("span");
  const outputTitle = element("span");

  const hint = element("p", { class: "sk-hint" }, "Click a cell, or focus the output and use the arrow keys.");
  const operator = (sign) => element("span", { class: "sk-operator", "data-sign": sign, "aria-hidden": "true" }, sign);
  const panel = (name, title, ...children) =>
    element("div", { class: `sk-panel sk-panel-${name}` }, element("h4", {}, title), ...children);
  stage.append(
    element("div", { class: "sk-head" }, mode.node, element("div", { class: "sk-buttons" }, play, step, reset)),
    element("div", { class: "cnn-controls sk-sliders" }, ...[...sliders.values()].map(({ node }) => node)),
    element(
      "div",
      { class: "sk-panels" },
      panel("field", fieldTitle, element("div", { class: "sk-board" }, field, frame)),
      operator("⋆"),
      panel("kernel", "kernel · editable", kernel.node),
      operator("="),
      panel("output", outputTitle, output, noOutput, hint),
    ),
    sum,
    formula,
    notes,
  );

  function drawField({ field: rows, start, extent, fits, field_name: name }) {
    setText(fieldTitle, name);
    field.setAttribute("aria-label", `${name}: ${rows.length} rows, ${rows[0].length} columns`);
    field.parentNode.style.setProperty("--columns", rows[0].length);
    field.parentNode.style.setProperty("--rows", rows.length);
    paintGrid(field, rows.length, rows[0].length, (cell, row, column) => {
      const { kind, text, weight, sign } = rows[row][column];
      const covered = weight !== undefined;
      cell.className = `sk-cell sk-${kind}${covered ? " sk-covered" : ""}`;
      if (covered) cell.dataset.sign = sign;
      else delete cell.dataset.sign;
      if (cell.dataset.weight !== (weight ?? "")) cell.dataset.weight = weight ?? "";
      setText(cell, text);
    });
    frame.style.setProperty("--row", start[0]);
    frame.style.setProperty("--column", start[1]);
    frame.style.setProperty("--height", extent[0]);
    frame.style.setProperty("--width", extent[1]);
    frame.classList.toggle("sk-over", !fits);
  }

  function drawOutput({ output: rows, position, fits, no_output: reason }) {
    output.hidden = !fits;
    hint.hidden = !fits;
    noOutput.hidden = fits;
    if (!fits) {
      setText(outputTitle, "output");
      setText(noOutput.lastChild, reason);
      return;
    }
    setText(outputTitle, `output · ${rows.length} × ${rows[0].length}`);
    output.setAttribute(
      "aria-label",
      `output, ${rows.length} rows, ${rows[0].length} columns; the arrow keys move the window`,
    );
    paintGrid(output, rows.length, rows[0].length, (cell, row, column) => {
      const { text, shown, wrong, truth } = rows[row][column];
      const here = row === position[0] && column === position[1];
      cell.className = `sk-cell${shown ? " sk-shown" : ""}${here ? " sk-here" : ""}${shown && wrong ? " sk-wrong" : ""}`;
      cell.dataset.row = row;
      cell.dataset.column = column;
      cell.title = shown && wrong ? `yours ${text}, the sum is ${truth}` : "";
      setText(cell, shown ? text : "·");
    });
  }

  return (next) => {
    view = next;
    for (const [name, one] of sliders) {
      const [value, min, max] = view.controls[name];
      one.update(value, { min, max, disabled: min === max });
    }
    mode.update(view.transposed);
    setText(play, view.playing ? "❚❚ Pause" : "▶ Play");
    play.disabled = !view.fits;
    step.disabled = view.at_end;
    reset.disabled = !view.fits;
    kernel.update(view.kernel);
    drawField(view);
    drawOutput(view);
    sum.hidden = !view.fits;
    sum.replaceChildren(
      element("span", { class: "sk-label" }, `output[${view.position.join(", ")}] = `),
      ...view.terms.flatMap((term, index) => [
        index > 0 ? " + " : "",
        element("span", { class: /(^|·)0($|·)/.test(term) ? "sk-term sk-nothing" : "sk-term" }, term),
      ]),
      " = ",
      element("b", {}, view.total),
    );
    formula.classList.toggle("sk-cannot", !view.fits);
    formula.replaceChildren(
      element("span", { class: "sk-label" }, view.formula.length > 1 ? "output size (rows, columns) = " : "output size = "),
      ...view.formula.map((line) => element("code", {}, line)),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
