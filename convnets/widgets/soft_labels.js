// The browser part of the soft labels; base.js stands in front of it. It draws what view_of() describes.

const CHART = { width: 560, left: 8, top: 12, height: 190, step: 55 };

export default courseWidget("Soft labels", (stage, send) => {
  let temperatures = [];
  let examples = null;
  const examplesPlace = element("div");
  const temperature = slider({
    label: "temperature T",
    format: (place) => String(temperatures[place] ?? ""),
    onInput: (place) => send("set", { place }),
  });
  const alpha = slider({ label: "α, weight of the teacher", format: (v) => v.toFixed(2), onInput: (value) => send("set", { alpha: value }) });
  const steps = stepper({ label: "steps of the student", onInput: (value) => send("set", { steps: value }) });
  const one = button({ label: "Train 1 step", kind: "cnn-main", onClick: () => send("train", { more: 1 }) });
  const ten = button({ label: "Train 10", onClick: () => send("train", { more: 10 }) });
  const again = button({ label: "Start again", onClick: () => send("set", { steps: 0 }) });
  const digit = element("canvas", { class: "sl-digit", width: 28, height: 28, role: "img" });
  const chart = svg("svg", { class: "sl-chart", viewBox: `0 0 ${CHART.width} 268`, role: "img" });
  const notes = element("div", { class: "sl-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls" }, examplesPlace, temperature.node, alpha.node),
    element("div", { class: "cnn-controls sl-buttons" }, one, ten, again, steps.node),
    element("div", { class: "sl-picture" }, digit, chart),
    notes,
  );

  function drawDigit(view) {
    const context = digit.getContext("2d");
    const pixels = context.createImageData(28, 28);
    view.picture.flat().forEach((grey, k) => pixels.data.set([255 - grey, 255 - grey, 255 - grey, 255], 4 * k));
    context.putImageData(pixels, 0, 0);
    digit.setAttribute("aria-label", `a handwritten ${view.label}`);
  }

  function drawChart(view) {
    const base = CHART.top + CHART.height;
    const nodes = [0.5, 1].map((share) =>
      svg("line", { class: "sl-line", x1: CHART.left, x2: CHART.width - 4, y1: base - share * CHART.height, y2: base - share * CHART.height }),
    );
    view.teacher.forEach((p, k) => {
      const x = CHART.left + k * CHART.step;
      const tall = Number((p * CHART.height).toFixed(2));
      const labelled = k === view.label ? " sl-label" : "";
      nodes.push(
        svg("rect", { class: `sl-bar${labelled}`, x: x + 6, y: base - tall, width: 38, height: tall }),
        svg("circle", { class: "sl-dot", cx: x + 25, cy: (base - view.student[k] * CHART.height).toFixed(2), r: 6 }),
        svg("text", { class: `sl-name${labelled}`, x: x + 25, y: base + 20, "text-anchor": "middle" }, String(k)),
        svg("text", { class: "sl-percent", x: x + 25, y: base + 36, "text-anchor": "middle" }, view.teacher_words[k].replace(" %", "%").replace("< ", "<")),
      );
    });
    nodes.push(svg("line", { class: "sl-axis", x1: CHART.left, x2: CHART.width - 4, y1: base, y2: base }));
    nodes.push(svg("rect", { class: "sl-bar", x: CHART.left + 6, y: base + 48, width: 12, height: 10 }));
    nodes.push(svg("text", { class: "sl-legend", x: CHART.left + 24, y: base + 58 }, "teacher at T"));
    nodes.push(svg("circle", { class: "sl-dot", cx: CHART.left + 136, cy: base + 53, r: 6 }));
    nodes.push(svg("text", { class: "sl-legend", x: CHART.left + 148, y: base + 58 }, "student at T"));
    nodes.push(svg("rect", { class: "sl-bar sl-label", x: CHART.left + 252, y: base + 48, width: 12, height: 10 }));
    nodes.push(svg("text", { class: "sl-legend", x: CHART.left + 270, y: base + 58 }, "the label"));
    chart.replaceChildren(...nodes);
    const said = view.teacher_words.map((words, k) => `${k}: ${words}`).join(", ");
    chart.setAttribute("aria-label", `the teacher's probabilities: ${said}`);
  }

  return (view) => {
    temperatures = view.temperatures;
    if (examples === null) {
      examples = choice({ label: "digit", options: view.examples, onInput: (value) => send("set", { example: Number(value) }) });
      examplesPlace.replaceWith(examples.node);
    }
    examples.update(view.example);
    temperature.update(view.temperature[0], { min: view.temperature[1], max: view.temperature[2] });
    alpha.update(view.alpha, { min: 0, max: 1, step: 0.05 });
    const [count, min, max] = view.steps;
    steps.update(count, { min, max });
    one.disabled = ten.disabled = count >= max;
    drawDigit(view);
    drawChart(view);
    notes.replaceChildren(
      ...view.notes.map(({ words, wrong }) =>
        element("p", { class: wrong ? "cnn-note cnn-wrong" : "cnn-note" }, wrong ? `✗ ${words}` : words),
      ),
    );
  };
});
