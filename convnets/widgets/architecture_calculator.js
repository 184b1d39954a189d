// The architecture calculator's browser part; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("Architecture calculator", (stage, send) => {
  const networks = ["LeNet-5", "AlexNet", "AlexNet, one GPU", "VGG-11", "VGG-16", "VGG-19"];
  const network = choice({
    label: "network",
    options: networks.map((name) => [name, name]),
    onInput: (name) => send("network", { name }),
  });
  const batch = stepper({ label: "pictures in the batch", onInput: (value) => send("set", { batch: value }) });
  const reset = button({ label: "As published", onClick: () => send("reset") });

  const names = ["side", "filters", "units", "kernel", "stride", "padding", "groups"];
  const steppers = new Map(
    names.map((field) => [field, stepper({ label: field, onInput: (value) => send("change", { field, value }) })]),
  );
  const halve = button({ label: "÷ 2", title: "half as many", onClick: () => send("scale", { by: 0.5 }) });
  const double = button({ label: "× 2", title: "twice as many", onClick: () => send("scale", { by: 2 }) });
  const chosen = element("span", { class: "ac-chosen" });
  const fields = element(
    "div",
    { class: "cnn-controls ac-fields", role: "group", "aria-label": "the chosen layer" },
    chosen,
    ...[...steppers.values()].map(({ node }) => node),
    halve,
    double,
  );

  const head = ["layer", "shape", "parameters", "MACs", "activations"];
  const body = element("tbody", {});
  const table = element(
    "table",
    { class: "ac-table" },
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    body,
  );
  table.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    send("move", { by });
  });
  const totals = element("dl", { class: "ac-totals" });
  const notes = element("div", { class: "ac-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, network.node, batch.node, reset),
    fields,
    element("div", { class: "ac-scroll" }, table),
    totals,
    notes,
  );

  let rows = [];

  /** One row with a button, so that it can be reached by Tab, and three cells with a bar. */
  function makeRow(layer) {
    const name = element("button", { type: "button", class: "ac-name", onclick: () => send("set", { layer }) });
    const shape = element("td", { class: "ac-shape" });
    const cells = ["parameters", "macs", "values"].map((measure) => {
      const bar = element("span", { class: `ac-bar ac-${measure}` });
      const text = element("span", { class: "ac-number" });
      return { bar, text, node: element("td", { class: "ac-cell" }, bar, text) };
    });
    const node = element("tr", {}, element("th", { scope: "row" }, name), shape, ...cells.map((cell) => cell.node));
    node.addEventListener("click", (event) => event.target === name || send("set", { layer }));
    return { node, name, shape, cells };
  }

  return (view) => {
    network.update(view.network);
    batch.update(view.batch[0], { min: view.batch[1], max: view.batch[2] });
    reset.disabled = !view.changed;
    setText(chosen, `Row ${view.layer}: ${view.layer_name}`);
    for (const [field, own] of steppers) {
      own.node.hidden = !(field in view.fields);
      if (field in view.fields) {
        const [value, min, max] = view.fields[field];
        own.update(value, { min, max });
      }
    }
    halve.hidden = double.hidden = !("filters" in view.fields || "units" in view.fields);

    const inTable = table.contains(document.activeElement);
    if (rows.length !== view.rows.length) {
      rows = view.rows.map((_, layer) => makeRow(layer));
      body.replaceChildren(...rows.map((row) => row.node));
    }
    view.rows.forEach((row, place) => {
      const own = rows[place];
      const fits = row.cells.length > 0;
      own.node.className = [
        `ac-row ac-of-${row.kind}`,
        place === view.layer ? "ac-selected" : "",
        row.changed ? "ac-changed" : "",
        row.wrong ? "ac-wrong" : "",
        fits ? "" : "ac-beyond",
      ].join(" ");
      setText(own.name, `${row.wrong ? "✗ " : ""}${row.name}${row.changed ? " *" : ""}`);
      own.name.setAttribute("aria-pressed", String(place === view.layer));
      setText(own.shape, fits ? row.shape : row.wrong ? "does not fit" : "–");
      own.cells.forEach((cell, column) => {
        const { text = "", full = "", share = 0 } = row.cells[column] ?? {};
        setText(cell.text, text);
        cell.node.title = full;
        cell.bar.style.width = `calc(${share} * (100% - 10px))`;
      });
    });
    if (inTable) rows[view.layer].name.focus();

    totals.replaceChildren(
      ...view.totals.map(([name, figure, remark]) =>
        element(
          "div",
          {},
          element("dt", {}, name),
          element("dd", { class: "ac-figure", "data-total": name }, figure),
          element("dd", { class: "ac-remark" }, remark),
        ),
      ),
    );
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
