// The browser part of ImageNet's winners; base.js stands in front of it. It draws what view_of() describes.

export default courseWidget("ImageNet's winners by year", (stage, send) => {
  const measure = choice({
    label: "bars show",
    options: [["error", "top-5 error"], ["layers", "depth"]],
    onInput: (value) => send("set", { measure: value }),
  });
  const id = freshId();
  const everything = element("input", {
    id,
    type: "checkbox",
    onchange: () => send("everything", { on: everything.checked }),
  });
  const box = element("label", { class: "iw-box", for: id }, everything, " second places, entries without extra data");

  const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [860, 330, 40, 24, 34];
  const chart = svg("svg", { class: "iw-chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, tabindex: 0, role: "group" });
  chart.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -1000, End: 1000 }[event.key];
    if (!by) return;
    event.preventDefault();
    send("move", { by });
  });
  // Pointing is enough; a finger taps. Each bar's column is as high as the chart, so that low bars can be hit.
  const point = (event) => {
    const column = event.target.closest("[data-entry]");
    if (column && Number(column.dataset.entry) !== shown) {
      shown = Number(column.dataset.entry);
      send("set", { entry: shown });
    }
  };
  chart.addEventListener("pointermove", point);
  chart.addEventListener("click", point);
  let shown = -1;

  const details = element("dl", { class: "iw-details" });
  stage.append(
    element("div", { class: "cnn-controls iw-controls" }, measure.node, box),
    chart,
    element("p", { class: "iw-hint" }, "Point at a bar, or focus the chart and use the arrow keys."),
    details,
  );

  return (view) => {
    shown = view.entry;
    measure.update(view.measure);
    everything.checked = view.everything;
    const floor = HEIGHT - BOTTOM;
    const y = (value) => floor - (value / view.top) * (floor - TOP);
    const step = (WIDTH - LEFT) / view.bars.length;
    const width = Math.min(step * 0.66, 62);
    const nodes = [svg("text", { class: "iw-title", x: 0, y: 12 }, view.title)];
    for (const tick of view.ticks) {
      nodes.push(svg("line", { class: "iw-grid", x1: LEFT, x2: WIDTH, y1: y(tick), y2: y(tick) }));
      nodes.push(svg("text", { class: "iw-tick", x: LEFT - 6, y: y(tick) + 4 }, String(tick)));
    }
    for (const [value, words] of view.lines) {
      nodes.push(svg("line", { class: "iw-person", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }));
      nodes.push(svg("text", { class: "iw-person-words", x: WIDTH, y: y(value) - 5 }, words));
    }
    view.bars.forEach((bar, entry) => {
      const left = LEFT + step * entry + (step - width) / 2;
      const value = bar.height ?? 0;
      const chosen = entry === view.entry ? " iw-chosen" : "";
      const kind = `iw-bar iw-${bar.role === "winner" ? "winner" : "other"}${chosen}`;
      const top = y(value);
      nodes.push(
        svg(
          "g",
          { class: `iw-column${chosen}`, "data-entry": entry },
          svg("rect", { class: "iw-area", x: LEFT + step * entry, y: TOP - 6, width: step, height: HEIGHT - TOP + 6 }),
          svg("rect", { class: kind, x: left, y: top, width, height: Math.max(floor - top, 0), rx: 2 }),
          svg("text", { class: "iw-label", x: left + width / 2, y: top - 5 }, bar.label),
          svg("text", { class: "iw-year", x: left + width / 2, y: floor + 17 }, String(bar.year)),
          svg("title", {}, bar.words),
        ),
      );
    });
    chart.setAttribute("aria-label", `${view.bars.length} entries, ${view.title}; the arrow keys choose one`);
    chart.replaceChildren(...nodes);
    details.replaceChildren(
      ...view.details.map(([name, text]) =>
        element("div", {}, element("dt", {}, name), element("dd", { "data-detail": name }, text)),
      ),
    );
  };
});
