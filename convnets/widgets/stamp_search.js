// StampSearch: a sheet of all stamps, the one that asks, and its neighbours; see the .py file.

const SHEET_COLUMNS = 16;
const SHEET_ROWS = 13;

export default courseWidget("Stamp search", (stage, send) => {
  let view = null;
  const vectors = choice({
    label: "compared are",
    options: [["features", "ImageNet features"], ["pixels", "pixels"]],
    onInput: (value) => send("set", { vectors: value }),
  });
  const measure = choice({
    label: "by",
    options: [["cosine", "cosine"], ["dot", "dot product"]],
    onInput: (value) => send("set", { cosine: value === "cosine" }),
  });
  const relatives = choice({
    label: "stamps of the same subject",
    options: [["may", "may be found"], ["not", "may not"]],
    onInput: (value) => send("set", { relatives: value === "may" }),
  });
  const answer = element("div", { class: "ss-answer" });
  const sheet = element("div", { class: "ss-sheet", role: "grid", "aria-label": "all stamps; the arrow keys move" });
  const notes = element("div", { class: "ss-notes" });
  const cells = [];
  stage.append(element("div", { class: "cnn-controls" }, vectors.node, measure.node, relatives.node), answer, sheet, notes);

  /** A stamp is a window on the one picture that the style sheet holds. */
  function place(node, number) {
    const x = (100 * (number % SHEET_COLUMNS)) / (SHEET_COLUMNS - 1);
    const y = (100 * Math.floor(number / SHEET_COLUMNS)) / (SHEET_ROWS - 1);
    node.style.backgroundPosition = `${x}% ${y}%`;
    return node;
  }

  const ask = (number) => send("set", { asked: number });

  function move(event) {
    const columns = cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const ends = { Home: 0, End: cells.length - 1 };
    const next = event.key in ends ? ends[event.key] : view.asked + by;
    if (!(next >= 0 && next < cells.length)) return;
    event.preventDefault();
    cells[next].focus();
    ask(next);
  }

  function figure({ number, name, said, kind }) {
    const picture = place(element("button", { type: "button", class: "ss-stamp ss-large", "data-number": number, "aria-label": `ask with ${name}`, onclick: () => ask(number) }), number);
    return element("figure", { class: "ss-figure", "data-kind": kind }, picture, element("figcaption", {}, element("b", {}, name), element("span", {}, said)));
  }

  return (next) => {
    view = next;
    vectors.update(view.vectors);
    measure.update(view.cosine ? "cosine" : "dot");
    relatives.update(view.relatives ? "may" : "not");
    while (cells.length < view.count) {
      const number = cells.length;
      const cell = place(element("div", { class: "ss-stamp ss-small", role: "gridcell", "data-number": number, onclick: () => ask(number), onkeydown: move }), number);
      cells.push(cell);
      sheet.append(cell);
    }
    const found = new Map(view.found.map((one, rank) => [one.number, rank + 1]));
    cells.forEach((cell, number) => {
      const asks = number === view.asked;
      cell.setAttribute("tabindex", asks ? 0 : -1);
      cell.setAttribute("aria-selected", asks);
      cell.setAttribute("aria-label", asks ? `asks: ${view.question.name}` : found.has(number) ? `stamp ${number}, neighbour ${found.get(number)}` : `stamp ${number}`);
      cell.dataset.kind = asks ? "asks" : found.has(number) ? (view.found[found.get(number) - 1].right ? "right" : "wrong") : "";
    });
    answer.replaceChildren(
      figure({ number: view.asked, name: view.question.name, said: view.question.class, kind: "asks" }),
      ...view.found.map((one) => figure({ number: one.number, name: one.name, said: `${one.right ? "✓" : "✗"} ${one.class} · ${one.similarity}`, kind: one.right ? "right" : "wrong" })),
    );
    notes.replaceChildren(...view.notes.map((note) => element("p", { class: note.wrong ? "cnn-note cnn-wrong" : "cnn-note" }, note.wrong ? `✗ ${note.words}` : note.words)));
  };
});
