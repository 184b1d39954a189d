// OptimizerRace: level lines, paths from one start, earlier paths, a table of rules; see optimizer_race.py for the view.

const RACE_W = 960;
const RACE_H = 600;
const BANDS = 15;

/** The marker of a rule, a second channel beside its colour: the shape at a place of the picture. */
function raceMarker(rule, x, y, size) {
  const points = (list) => list.map(([dx, dy]) => `${x + dx * size},${y + dy * size}`).join(" ");
  const shape = {
    sgd: () => svg("circle", { cx: x, cy: y, r: size }),
    momentum: () => svg("rect", { x: x - size * 0.9, y: y - size * 0.9, width: size * 1.8, height: size * 1.8 }),
    nesterov: () => svg("polygon", { points: points([[0, -1.25], [1.1, 0.85], [-1.1, 0.85]]) }),
    adagrad: () => svg("polygon", { points: points([[0, -1.35], [1.35, 0], [0, 1.35], [-1.35, 0]]) }),
    rmsprop: () => svg("polygon", { points: points([[0, 1.25], [1.1, -0.85], [-1.1, -0.85]]) }),
    adam: () => svg("polygon", { points: points([[-1, -1], [0, -0.4], [1, -1], [0.4, 0], [1, 1], [0, 0.4], [-1, 1], [-0.4, 0]]) }),
  }[rule]();
  shape.setAttribute("class", `race-head race-${rule}`);
  return shape;
}

export default courseWidget("Optimizer race", (stage, send) => {
  let shown = null;

  const surface = choice({
    label: "surface",
    options: ["ravine", "saddle", "beale", "noisy"].map((name) => [name, name === "beale" ? "Beale" : name]),
    onInput: (value) => send("surface", { surface: value }),
  });
  const race = button({ label: "▶ Race", kind: "cnn-main race-play", onClick: () => send(shown.playing ? "pause" : "play") });
  const step = button({ label: "Step", title: "one step of every rule", onClick: () => send("step") });
  const reset = button({ label: "Reset", title: "back to the start point", onClick: () => send("reset") });
  const keep = button({ label: "Keep", title: "keep these paths in the picture", onClick: () => send("keep") });
  const clear = button({ label: "Clear", title: "remove earlier paths", onClick: () => send("clear") });
  const steps = slider({ label: "step", onInput: (value) => send("set", { steps: value, playing: false }) });

  const land = element("canvas", { class: "race-land", "aria-hidden": "true" });
  const paths = svg("svg", { class: "race-paths", viewBox: `0 0 ${RACE_W} ${RACE_H}`, preserveAspectRatio: "none" });
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const picture = element(
    "div",
    {
      class: "race-picture",
      tabindex: 0,
      role: "application",
      onclick: (event) => send("start", { at: place(event) }),
      onkeydown: (event) => {
        if (event.key in moves) send("nudge", { by: moves[event.key] });
        else if (event.key === "Enter" || event.key === " ") send(shown.playing ? "pause" : "play");
        else return;
        event.preventDefault();
      },
    },
    land,
    paths,
  );
  const words = element("div", { class: "race-words" });

  const rules = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam"].map((rule) => {
    const id = freshId();
    const box = element("input", { id, type: "checkbox", onchange: () => send("toggle", { rule }) });
    const title = element("span", {});
    const swatch = svg("svg", { class: "race-swatch", viewBox: "0 0 34 16", "aria-hidden": "true" });
    swatch.append(svg("line", { class: `race-line race-${rule}`, x1: 0, y1: 8, x2: 34, y2: 8 }), raceMarker(rule, 17, 8, 5));
    const lr = slider({ label: `lr of ${rule}`, onInput: (at) => send("set", { lrs: shown.rows.map((row) => (row.rule === rule ? shown.ladder[at] : row.lr)) }), format: (at) => String(shown?.ladder[at] ?? "") });
    const value = element("span", { class: "race-value" });
    const node = element("div", { class: "race-row", "data-rule": rule }, element("label", { for: id, class: "race-name" }, box, swatch, title), lr.node, value);
    return { rule, node, box, title, lr, value };
  });
  const table = element(
    "div",
    { class: "race-table" },
    element("div", { class: "race-row race-titles", "aria-hidden": "true" }, element("span", {}, "rule"), element("span", {}, "learning rate"), element("span", {}, "f(x, y)")),
    ...rules.map(({ node }) => node),
  );
  const notes = element("div", { class: "race-notes" });

  stage.append(
    element("div", { class: "cnn-controls" }, surface.node, element("div", { class: "race-run" }, race, step, reset, keep, clear), steps.node),
    element("div", { class: "race-main" }, element("div", {}, picture, words), table),
    notes,
  );

  // Colours live in CSS; a canvas needs them as numbers.
  const probes = ["--race-low", "--race-high", "--race-level"].map((name) => element("span", { hidden: true, style: `color: var(${name})` }));
  stage.append(...probes);

  /** The surface whose land is painted. */
  let painted = "";
  /** Paint the land in bands of height: bilinear between the grid's points, so that level lines are smooth. */
  function paintLand() {
    // While JupyterLab changes its theme the page has no width for a moment: the size before stays.
    const width = Math.min(1400, Math.round(picture.clientWidth * window.devicePixelRatio)) || (painted && land.width);
    if (!width) return; // not in the page yet: the observer of sizes calls again
    const height = Math.round((width * RACE_H) / RACE_W);
    land.width = width;
    land.height = height;
    const [low, high, level] = probes.map((node) => getComputedStyle(node).color.match(/[\d.]+/g).slice(0, 3).map(Number));
    const [columns, rows] = shown.grid;
    const heights = new Float32Array(columns * rows).map((_, i) => BANDS * shown.heights.getFloat32(4 * i, true));
    const values = new Float32Array(width * height);
    for (let j = 0; j < height; j += 1) {
      const y = (j / (height - 1)) * (rows - 1);
      const y0 = Math.min(rows - 2, Math.floor(y));
      for (let i = 0; i < width; i += 1) {
        const x = (i / (width - 1)) * (columns - 1);
        const x0 = Math.min(columns - 2, Math.floor(x));
        const at = y0 * columns + x0;
        const upper = heights[at] + (x - x0) * (heights[at + 1] - heights[at]);
        const lower = heights[at + columns] + (x - x0) * (heights[at + columns + 1] - heights[at + columns]);
        values[j * width + i] = upper + (y - y0) * (lower - upper);
      }
    }
    const context = land.getContext("2d");
    const image = context.createImageData(width, height);
    values.forEach((value, i) => {
      // A level line is one pixel wide however steep the land is: its distance is measured in pixels.
      const slope = Math.hypot(value - (values[i + 1] ?? value), value - (values[i + width] ?? value));
      const line = Math.max(0, 1 - Math.abs(value - Math.round(value)) / Math.max(slope, 1e-6));
      const part = Math.min(BANDS - 1, Math.floor(value)) / (BANDS - 1);
      for (let c = 0; c < 3; c += 1) {
        const ground = low[c] + part * (high[c] - low[c]);
        image.data[4 * i + c] = ground + line * (level[c] - ground);
      }
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    painted = shown.surface;
  }

  const corners = (path) => path.map(([x, y]) => `${x},${y}`).join(" ");
  function drawPaths() {
    const racing = shown.rows.filter((row) => row.shown);
    paths.replaceChildren(
      ...shown.minima.map(([x, y]) => svg("path", { class: "race-minimum", d: `M${x - 9},${y}h18M${x},${y - 9}v18M${x - 6},${y - 6}l12,12M${x + 6},${y - 6}l-12,12` })),
      ...shown.earlier.map(({ rule, path }) => svg("polyline", { class: `race-earlier race-${rule}`, points: corners(path) })),
      ...racing.flatMap(({ rule, path }) => [
        svg("polyline", { class: "race-halo", points: corners(path) }),
        svg("polyline", { class: `race-line race-${rule}`, points: corners(path), "data-path": rule }),
      ]),
      svg("circle", { class: "race-start", cx: shown.start[0], cy: shown.start[1], r: 8 }),
      ...racing.map(({ rule, path }) => raceMarker(rule, ...path.at(-1), 8)),
    );
  }

  const themed = new MutationObserver(() => (stage.isConnected ? paintLand() : themed.disconnect()));
  new ResizeObserver(() => {
    themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] });
    paintLand();
  }).observe(picture);

  return (view) => {
    shown = view;
    surface.update(view.surface);
    setText(race, view.playing ? "❚❚ Pause" : "▶ Race");
    reset.disabled = keep.disabled = view.steps === 0;
    step.disabled = view.steps === view.most_steps;
    clear.disabled = view.earlier.length === 0;
    steps.update(view.steps, { min: 0, max: view.most_steps });
    rules.forEach(({ node, box, title, lr, value }, at) => {
      const row = view.rows[at];
      box.checked = row.shown;
      setText(title, `${row.wrong ? "✗ " : ""}${row.title}`);
      node.toggleAttribute("data-off", !row.shown);
      lr.update(row.place_on_ladder, { min: 0, max: view.ladder.length - 1 });
      setText(lr.node.querySelector("output"), String(row.lr)); // one given in Python may lie between those of the ladder
      setText(value, row.shown ? row.value + (row.arrived != null ? ` ✓ ${row.arrived}` : "") : "");
      value.title = row.arrived != null ? `within 0.01 of the lowest value from step ${row.arrived} on` : "";
    });
    setText(words, `${view.words}. ○ ${view.start_words}, ✳ lowest point. ✓ 80: arrived at step 80.`);
    picture.setAttribute("aria-label", `${view.surface} surface, ${view.start_words}; the arrow keys move the start, Enter starts the race`);
    notes.replaceChildren(...view.notes.map(({ text, wrong }) => element("p", { class: `cnn-note${wrong ? " cnn-wrong" : ""}` }, `${wrong ? "✗ " : ""}${text}`)));
    drawPaths();
    if (painted !== view.surface) paintLand();
  };
});
