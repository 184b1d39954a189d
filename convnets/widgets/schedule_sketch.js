// ScheduleSketch: twenty bars to paint, and the loss that follows; see schedule_sketch.py for the view.

const SKETCH_W = 860;
const SKETCH_LEFT = 52;
const BARS_H = 190;
const LOSS_H = 190;

export default courseWidget("Schedule sketch", (stage, send) => {
  let shown = null;
  /** What is being drawn, ahead of the kernel's answer; null when the mouse is up. */
  let draft = null;

  const preset = (kind) => button({ label: kind, title: `draw the schedule "${kind}" from the first bar on`, onClick: () => send("preset", { kind }) });
  const recall = button({ label: "Best so far", title: "draw the schedule that ended lowest", onClick: () => send("recall") });

  const bars = svg("svg", { class: "sketch-bars", viewBox: `0 0 ${SKETCH_W} ${BARS_H + 26}`, role: "group", "aria-label": "learning rate of each stretch of ten steps; the arrow keys change it" });
  const back = svg("g", {});
  const columns = svg("g", {});
  bars.append(back, columns);
  const chart = svg("svg", { class: "sketch-loss", viewBox: `0 0 ${SKETCH_W} ${LOSS_H + 40}`, role: "img" });
  const figures = element("div", { class: "sketch-figures" });
  const figure = (name, words) => {
    const value = element("span", { class: "sketch-value", "data-number": name });
    figures.append(element("div", { class: `sketch-figure sketch-of-${name}` }, element("span", { class: "sketch-name" }, words), value));
    return value;
  };
  const numbers = { ending: figure("ending", "loss of the last stretch"), best: figure("best", "best so far"), constant: figure("constant", "best constant"), diagnosis: figure("diagnosis", "diagnosis: lr is") };
  const notes = element("div", { class: "sketch-notes" });

  stage.append(
    element("div", { class: "cnn-controls" }, element("div", { class: "sketch-presets", role: "group", "aria-label": "draw" }, ...["constant", "step", "exponential", "cosine", "plateau"].map(preset)), recall),
    element("div", { class: "sketch-title" }, "learning rate: draw with the mouse, or use the arrow keys"),
    bars,
    element("div", { class: "sketch-title" }, "mean loss of 64 runs of sgd on the noisy ravine"),
    chart,
    figures,
    notes,
  );

  const width = (count) => (SKETCH_W - SKETCH_LEFT) / count;
  const rungs = () => shown.ladder.length - 1;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const rungOf = (lr) => shown.ladder.reduce((best, own, at) => (Math.abs(Math.log(own / lr)) < Math.abs(Math.log(shown.ladder[best] / lr)) ? at : best), 0);

  /** Bar and rung under the mouse. */
  function under(event) {
    const box = bars.getBoundingClientRect();
    const scale = SKETCH_W / box.width;
    const x = (event.clientX - box.left) * scale - SKETCH_LEFT;
    const y = (event.clientY - box.top) * scale;
    return [clamp(Math.floor(x / width(shown.lrs.length)), 0, shown.lrs.length - 1), clamp(Math.round((1 - y / BARS_H) * rungs()), 0, rungs())];
  }

  /** Set the bars from the one drawn last to this one: a fast mouse jumps over some. */
  let last = null;
  function paint(event) {
    const [bar, rung] = under(event);
    const [from, start] = last ?? [bar, rung];
    const steps = Math.max(1, Math.abs(bar - from));
    for (let i = 0; i <= steps; i += 1) {
      draft[from + Math.round(((bar - from) * i) / steps)] = shown.ladder[Math.round(start + ((rung - start) * i) / steps)];
    }
    last = [bar, rung];
    drawBars(draft);
    send("set", { lrs: [...draft] });
  }

  bars.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    draft = [...shown.lrs];
    last = null;
    bars.setPointerCapture(event.pointerId);
    paint(event);
    columns.children[last[0]].focus({ preventScroll: true });
    event.preventDefault();
  });
  bars.addEventListener("pointermove", (event) => draft && paint(event));
  const release = () => {
    draft = null;
  };
  bars.addEventListener("pointerup", release);
  bars.addEventListener("pointercancel", release);

  function onKey(event, bar) {
    const rung = rungOf(shown.lrs[bar]);
    const wanted = { ArrowUp: rung + 1, ArrowDown: rung - 1, PageUp: rung + 5, PageDown: rung - 5, Home: 0, End: rungs() }[event.key];
    const next = { ArrowLeft: bar - 1, ArrowRight: bar + 1 }[event.key];
    if (wanted != null) send("set", { lrs: shown.lrs.map((lr, at) => (at === bar ? shown.ladder[clamp(wanted, 0, rungs())] : lr)) });
    else if (next != null) focusBar(clamp(next, 0, shown.lrs.length - 1));
    else return;
    event.preventDefault();
  }

  /** One bar is reached by Tab, the others by the arrow keys. */
  function focusBar(bar) {
    [...columns.children].forEach((node, at) => node.setAttribute("tabindex", at === bar ? 0 : -1));
    columns.children[bar].focus();
  }

  function drawBars(lrs) {
    const w = width(lrs.length);
    if (columns.children.length !== lrs.length) {
      columns.replaceChildren(
        ...lrs.map((_, bar) => {
          const node = svg("g", { class: "sketch-bar", role: "slider", tabindex: bar === 0 ? 0 : -1 }, svg("rect", { class: "sketch-area", y: 0, height: BARS_H }), svg("rect", { class: "sketch-fill" }));
          node.addEventListener("keydown", (event) => onKey(event, bar));
          node.addEventListener("focus", () => [...columns.children].forEach((other, at) => other.setAttribute("tabindex", at === bar ? 0 : -1)));
          return node;
        }),
      );
    }
    const low = Math.log(shown.ladder[0]);
    const range = Math.log(shown.ladder.at(-1)) - low;
    lrs.forEach((lr, bar) => {
      const node = columns.children[bar];
      const share = (Math.log(lr) - low) / range;
      const height = Math.max(2, share * BARS_H);
      node.setAttribute("aria-label", `steps ${bar * shown.stretch + 1} to ${(bar + 1) * shown.stretch}`);
      node.setAttribute("aria-valuemin", shown.ladder[0]);
      node.setAttribute("aria-valuemax", shown.ladder.at(-1));
      node.setAttribute("aria-valuenow", lr);
      node.classList.toggle("sketch-above", share > shown.limit_height);
      const [area, fill] = node.children;
      area.setAttribute("x", SKETCH_LEFT + bar * w);
      area.setAttribute("width", w);
      for (const [name, value] of Object.entries({ x: SKETCH_LEFT + bar * w + 1.5, width: w - 3, y: BARS_H - height, height })) fill.setAttribute(name, value);
    });
  }

  const label = (x, y, text, extra = {}) => svg("text", { x, y, class: "sketch-label", ...extra }, text);
  const rule = (x1, y1, x2, y2, kind = "sketch-grid") => svg("line", { x1, y1, x2, y2, class: kind });

  function drawBack() {
    const limit = BARS_H * (1 - shown.limit_height);
    back.replaceChildren(
      ...[0, 1, 2, 3].flatMap((power) => {
        const y = BARS_H * (1 - power / 3);
        return [rule(SKETCH_LEFT, y, SKETCH_W, y), label(SKETCH_LEFT - 6, clamp(y + 4, 11, BARS_H), String(Number((1e-4 * 10 ** power).toFixed(4))), { "text-anchor": "end" })];
      }),
      ...[0, 50, 100, 150, 200].map((step) => label(SKETCH_LEFT + (step / 200) * (SKETCH_W - SKETCH_LEFT), BARS_H + 18, String(step), { "text-anchor": step === 200 ? "end" : "middle" })),
    );
    bars.querySelectorAll(".sketch-limit, .sketch-limit-label").forEach((node) => node.remove());
    bars.append(rule(SKETCH_LEFT, limit, SKETCH_W, limit, "sketch-limit"), label(SKETCH_W - 4, limit - 5, "2/50: above, it diverges", { class: "sketch-label sketch-limit-label", "text-anchor": "end" }));
  }

  function drawLoss() {
    const [low, high] = shown.loss_range;
    const line = (curve) => curve.map((share, t) => `${(SKETCH_LEFT + (t / (curve.length - 1)) * (SKETCH_W - SKETCH_LEFT)).toFixed(1)},${(LOSS_H * (1 - share)).toFixed(1)}`).join(" ");
    const at = (loss) => LOSS_H * (1 - Math.log(loss / low) / Math.log(high / low));
    const constant = LOSS_H * (1 - shown.constant_height);
    chart.setAttribute("aria-label", `mean loss over 200 steps on a logarithmic axis; last stretch ${shown.ending}`);
    chart.replaceChildren(
      ...[0.1, 1, 10, 100].flatMap((loss) => [rule(SKETCH_LEFT, at(loss), SKETCH_W, at(loss)), label(SKETCH_LEFT - 6, at(loss) + 4, String(loss), { "text-anchor": "end" })]),
      ...[0, 50, 100, 150, 200].map((step) => label(SKETCH_LEFT + (step / 200) * (SKETCH_W - SKETCH_LEFT), LOSS_H + 18, String(step), { "text-anchor": step === 200 ? "end" : "middle" })),
      label(SKETCH_W / 2, LOSS_H + 34, "step", { "text-anchor": "middle" }),
      rule(SKETCH_LEFT, constant, SKETCH_W, constant, "sketch-constant"),
      svg("polyline", { class: "sketch-line-best", points: line(shown.best_curve) }),
      svg("polyline", { class: "sketch-line", points: line(shown.curve) }),
    );
  }

  return (view) => {
    shown = view;
    drawBack();
    drawBars(draft ?? view.lrs);
    drawLoss();
    setText(numbers.ending, view.ending);
    setText(numbers.best, view.best);
    setText(numbers.constant, view.constant);
    setText(numbers.diagnosis, view.diagnosis);
    numbers.diagnosis.parentElement.hidden = view.diagnosis === "";
    recall.disabled = view.best_curve.length === 0;
    notes.replaceChildren(...view.notes.map(({ text, wrong }) => element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${text}`)));
  };
});
