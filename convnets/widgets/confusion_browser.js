// ConfusionBrowser: the table of class against answer, the digits of a cell, errors against refusals; see the .py file.

const TRADE_W = 300;
const TRADE_H = 120;

export default courseWidget("Confusion browser", (stage, send) => {
  let view = null;
  const threshold = slider({
    label: "refuse to answer below",
    format: (value) => `${value} %`,
    onInput: (value) => send("set", { threshold: value }),
  });
  const table = element("table", { class: "conf-table", role: "grid", "aria-label": "rows: what it is; columns: what the net says; the arrow keys move" });
  const words = element("p", { class: "conf-words" });
  const digits = element("div", { class: "conf-digits" });
  const more = element("p", { class: "conf-more" });
  const chart = svg("svg", { class: "conf-trade", viewBox: `-44 -8 ${TRADE_W + 60} ${TRADE_H + 46}`, role: "img" });
  const notes = element("div", { class: "conf-notes" });

  const head = element("tr", {}, element("th", { class: "conf-corner" }, "is \\ read as"));
  for (let answer = 0; answer < 10; answer += 1) head.append(element("th", { scope: "col" }, String(answer)));
  table.append(head);
  const cells = [];
  for (let actual = 0; actual < 10; actual += 1) {
    const row = element("tr", {}, element("th", { scope: "row" }, String(actual)));
    for (let answer = 0; answer < 10; answer += 1) {
      const cell = element("td", {
        role: "gridcell",
        tabindex: -1,
        "data-actual": actual,
        "data-answer": answer,
        onclick: () => send("choose", { actual, answer }),
        onkeydown: (event) => move(event, actual, answer),
      });
      cells.push(cell);
      row.append(cell);
    }
    table.append(row);
  }

  function move(event, actual, answer) {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const within = (value) => Math.min(9, Math.max(0, value));
    const next = [within(actual + by[0]), within(answer + by[1])];
    cells[10 * next[0] + next[1]].focus();
    send("choose", { actual: next[0], answer: next[1] });
  }

  stage.append(
    element("div", { class: "cnn-controls" }, threshold.node),
    element(
      "div",
      { class: "conf-body" },
      element("div", { class: "conf-left" }, table, element("div", { class: "conf-title" }, "errors against refused digits, as the threshold rises"), chart),
      element("div", { class: "conf-right" }, words, digits, more),
    ),
    notes,
  );

  function drawTable() {
    const [openActual, openAnswer] = view.cell;
    const wrong = view.table.map((row, actual) => row.filter((_, answer) => answer !== actual));
    const mostWrong = Math.max(1, ...wrong.flat());
    cells.forEach((cell) => {
      const actual = Number(cell.dataset.actual);
      const answer = Number(cell.dataset.answer);
      const count = view.table[actual][answer];
      const right = actual === answer;
      setText(cell, count === 0 ? "·" : String(count));
      cell.dataset.kind = count === 0 ? "none" : right ? "right" : "wrong";
      cell.style.setProperty("--share", right ? 0.25 : Math.min(1, 0.25 + (0.75 * count) / mostWrong));
      const open = actual === openActual && answer === openAnswer;
      cell.setAttribute("aria-selected", open);
      cell.setAttribute("tabindex", open ? 0 : -1);
      cell.setAttribute("aria-label", `${actual} read as ${answer}: ${count}`);
    });
  }

  function drawDigits() {
    digits.replaceChildren(
      ...view.digits.map(({ bytes, said, number }) => {
        const canvas = element("canvas", { width: 28, height: 28, role: "img", "aria-label": `test digit ${number}: the net says ${said}` });
        const ink = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const image = new ImageData(28, 28);
        ink.forEach((value, at) => image.data.set([255 - value, 255 - value, 255 - value, 255], 4 * at));
        canvas.getContext("2d").putImageData(image, 0, 0);
        return element("figure", { class: "conf-digit" }, canvas, element("figcaption", {}, said));
      }),
    );
    setText(words, view.words);
    setText(more, view.more > 0 ? `and ${view.more} more` : "");
  }

  function drawTrade() {
    const [refused, misread] = view.trade;
    const most = Math.max(1, misread[0]);
    const across = Math.max(1, refused.at(-1));
    const x = (count) => (TRADE_W * count) / across;
    const y = (count) => TRADE_H * (1 - count / most);
    const at = view.threshold[0];
    const label = (px, py, text, anchor = "middle") => svg("text", { x: px, y: py, class: "conf-label", "text-anchor": anchor }, text);
    chart.replaceChildren(
      svg("line", { x1: 0, y1: TRADE_H, x2: TRADE_W, y2: TRADE_H, class: "conf-axis" }),
      svg("line", { x1: 0, y1: 0, x2: 0, y2: TRADE_H, class: "conf-axis" }),
      label(-6, y(most) + 4, String(most), "end"),
      label(-6, TRADE_H + 4, "0", "end"),
      label(-34, TRADE_H / 2, "misread"),
      label(0, TRADE_H + 16, "0"),
      label(TRADE_W, TRADE_H + 16, String(across)),
      label(TRADE_W / 2, TRADE_H + 32, `refused, of ${view.total.toLocaleString("en")}`),
      svg("polyline", { class: "conf-line", points: refused.map((count, k) => `${x(count).toFixed(1)},${y(misread[k]).toFixed(1)}`).join(" ") }),
      svg("circle", { class: "conf-point", cx: x(refused[at]), cy: y(misread[at]), r: 5 }),
      label(Math.max(50, Math.min(TRADE_W - 60, x(refused[at]) + 64)), Math.max(8, y(misread[at]) - 8), `${misread[at]} at ${refused[at]} refused`),
    );
    chart.querySelector("text:nth-of-type(3)").setAttribute("transform", `rotate(-90 -30 ${TRADE_H / 2})`);
    chart.setAttribute("aria-label", `${misread[at]} misread and ${refused[at]} refused at ${at} %; ${misread[0]} misread when it always answers`);
  }

  return (next) => {
    view = next;
    const [value, min, max] = view.threshold;
    threshold.update(value, { min, max });
    drawTable();
    drawDigits();
    drawTrade();
    notes.replaceChildren(...view.notes.map((note) => element("p", { class: note.wrong ? "cnn-note cnn-wrong" : "cnn-note" }, note.wrong ? `✗ ${note.words}` : note.words)));
  };
});
