// The graph of ComputationGraph: drawn from the view alone, see computation_graph.py for what the view holds.

/** Split "w_{jk} y_1" into [text, isIndex] pieces. */
function pieces(text) {
  return [...text.matchAll(/_\{([^}]*)\}|_(\w)|([^_]+|_)/g)].map(([, braces, one, plain]) =>
    plain === undefined ? [braces ?? one, true] : [plain, false],
  );
}

function richHtml(text) {
  return pieces(text).map(([part, index]) => (index ? element("sub", {}, part) : part));
}

function richSvg(text) {
  let lowered = false;
  return pieces(text).map(([part, index]) => {
    const dy = index === lowered ? 0 : index ? 3 : -3;
    lowered = index;
    return svg("tspan", { dy, class: index ? "graph-index" : null }, part);
  });
}

export default courseWidget("Computation graph", (stage, send) => {
  const example = choice({
    label: "graph",
    options: [
      ["network", "2-2-2-1 net"],
      ["reuse", "e = a·b + a"],
    ],
    onInput: (value) => send("example", { example: value }),
  });
  const walk = {
    start: button({ label: "|◀", title: "to the start", onClick: () => send("start") }),
    back: button({ label: "◀ Back", title: "step back", onClick: () => send("back") }),
    forward: button({ label: "Step ▶", title: "step forward", kind: "cnn-main", onClick: () => send("forward") }),
    end: button({ label: "▶|", title: "to the end", onClick: () => send("end") }),
  };
  const track = element("div", { class: "graph-track", "aria-hidden": "true" });
  const timeline = slider({ label: "step", onInput: (step) => send("set", { step }) });
  timeline.node.classList.add("graph-timeline");
  timeline.node.append(track);

  const drawing = svg("svg", { class: "graph-drawing", role: "img" });
  const title = element("h4", { class: "graph-title" });
  const rules = element("div", { class: "graph-rules" });

  const list = element("select", { onchange: () => send("set", { selected: list.value }) });
  const listId = freshId();
  list.id = listId;
  const amount = slider({
    label: "value",
    onInput: (value) => send("set", { value }),
    format: (value) => String(Number(value.toFixed(3))).replace("-", "−"),
  });
  const restore = button({ label: "Restore all", title: "restore all numbers", onClick: () => send("restore") });
  const note = element("p", { class: "cnn-note" });

  stage.append(
    element("div", { class: "cnn-controls" }, example.node, element("div", { class: "graph-walk" }, ...Object.values(walk)), timeline.node),
    drawing,
    element("div", { class: "graph-panel" }, title, rules),
    element(
      "div",
      { class: "cnn-controls graph-change" },
      element("div", { class: "cnn-control" }, element("label", { for: listId }, "change a number (or click it)"), list),
      amount.node,
      restore,
    ),
    note,
  );

  function pick(name) {
    return () => {
      send("set", { selected: name });
      amount.input.focus({ preventScroll: true });
    };
  }

  function drawEdge(edge, view) {
    const [x1, y1] = edge.from;
    const [x2, y2] = edge.to;
    const chosen = edge.leaf?.name === view.selected;
    const group = svg("g", { class: "graph-edge", "data-edge": edge.id, "data-lit": edge.lit || null });
    if (chosen) group.append(svg("line", { class: "graph-chosen", x1, y1, x2, y2 }));
    group.append(svg("line", { class: "graph-wire", x1, y1, x2, y2, "stroke-width": 1 + 2.2 * edge.strength }));
    if (edge.lit) {
      // The dashes run the way the numbers go; the arrow head says the same without motion.
      const back = edge.lit === "backward";
      group.append(svg("line", { class: "graph-flow", x1, y1, x2, y2, "stroke-width": 2 + 2 * edge.strength }));
      const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI + (back ? 180 : 0);
      const tip = back ? [x1, y1] : [x2, y2];
      group.append(svg("path", { class: "graph-head", d: "M1,0 L-9,-5 L-9,5 Z", transform: `translate(${tip}) rotate(${angle})` }));
    }
    return group;
  }

  function drawEdgeLabel(edge, view) {
    const group = svg("g", { class: "graph-edge-label", "data-lit": edge.lit || null });
    const gradient = edge.gradient?.text ? edge.gradient : null;
    if (!edge.leaf && !gradient) return group;
    const at = edge.label_at;
    const x = edge.from[0] + at * (edge.to[0] - edge.from[0]);
    const y = edge.from[1] + at * (edge.to[1] - edge.from[1]);
    const two = edge.leaf && gradient;
    group.append(svg("rect", { class: "graph-chip", x: x - 21, y: y - 17, width: 42, height: 34, rx: 5 }));
    if (edge.leaf) {
      const picked = edge.leaf.name === view.selected ? " graph-picked" : "";
      group.append(svg("text", { class: `graph-weight${picked}`, x, y: two ? y - 5 : y + 4 }, edge.leaf.text));
      group.addEventListener("click", pick(edge.leaf.name));
    }
    if (gradient) {
      const place = { x, y: two ? y + 13 : y + 4, "data-now": gradient.now || null, "data-wrong": gradient.toolkit ? "" : null };
      group.append(svg("text", { class: "graph-gradient", ...place }, mark(gradient) + gradient.text));
    }
    group.append(svg("title", {}, edgeWords(edge, view)));
    return group;
  }

  function edgeWords(edge, view) {
    const words = edge.leaf ? [`${view.leaves.find((item) => item.name === edge.leaf.name).words}: ${edge.leaf.text}`] : [];
    if (edge.gradient?.text) words.push(`${edge.gradient.label} ${edge.gradient.text}`);
    return words.join(", ");
  }

  function mark(quantity) {
    return quantity.toolkit ? "✗" : "";
  }

  function drawNode(node, view) {
    const head = 24;
    const line = 18;
    const height = head + node.rows.length * line + 6;
    const left = node.x - node.width / 2;
    const top = node.y - height / 2;
    const chosen = node.leaf?.name === view.selected;
    const group = svg("g", { class: "graph-node", "data-node": node.id, "data-lit": node.lit || null });
    group.append(svg("rect", { class: "graph-card", x: left, y: top, width: node.width, height, rx: 8 }));
    const isLeafOnly = node.leaf && !node.title;
    if (node.title) {
      const size = node.leaf ? { x: left + 9, "text-anchor": "start" } : { x: node.x, "text-anchor": "middle" };
      group.append(svg("text", { class: "graph-name", y: top + 17, ...size }, ...richSvg(node.title)));
    }
    if (node.leaf) {
      const place = isLeafOnly ? { x: node.x, "text-anchor": "middle" } : { x: left + node.width - 8, "text-anchor": "end" };
      const label = svg("text", { class: `graph-leaf${chosen ? " graph-picked" : ""}`, y: top + (node.rows.length ? 17 : 20), ...place });
      label.append(...richSvg(`${node.leaf.symbol} `));
      label.append(svg("tspan", { class: "graph-number" }, ` ${node.leaf.text}`));
      if (chosen) {
        const width = isLeafOnly ? node.width - 8 : 50;
        const x = isLeafOnly ? left + 4 : left + node.width - width - 4;
        group.append(svg("rect", { class: "graph-chosen-box", x, y: top + 3, width, height: head - 4, rx: 5 }));
      }
      label.addEventListener("click", pick(node.leaf.name));
      group.append(label);
    }
    if (node.rows.length) group.append(svg("line", { class: "graph-rule", x1: left, x2: left + node.width, y1: top + head, y2: top + head }));
    node.rows.forEach((row, index) => {
      const y = top + head + 16 + index * line;
      const way = row.direction;
      if (row.now) {
        group.append(svg("rect", { class: "graph-now", "data-way": way, x: left + 3, y: y - 13, width: node.width - 6, height: line - 1, rx: 4 }));
      }
      group.append(svg("text", { class: "graph-label", "data-way": way, "data-known": row.text ? "" : null, x: left + 8, y }, row.label));
      const value = svg(
        "text",
        { class: "graph-number", "data-way": way, "data-wrong": row.toolkit ? "" : null, "data-quantity": `${row.label}@${node.id}`, x: left + node.width - 7, y },
        mark(row) + row.text,
      );
      if (row.toolkit) value.append(svg("title", {}, `the toolkit's: ${row.toolkit}`));
      group.append(value);
    });
    return group;
  }

  function spoken(view) {
    const known = view.nodes.flatMap((node) => node.rows.filter((row) => row.text).map((row) => `${row.label} of ${node.id} is ${row.text}`));
    return `Graph. ${known.length ? known.join(", ") : "Nothing is computed yet"}.`;
  }

  function drawGraph(view) {
    drawing.setAttribute("viewBox", `0 0 ${view.size.join(" ")}`);
    drawing.setAttribute("aria-label", spoken(view));
    drawing.replaceChildren(
      ...view.headings.map(({ x, text }) => svg("text", { class: "graph-heading", x, y: 14 }, text)),
      ...view.edges.map((edge) => drawEdge(edge, view)),
      ...view.edges.map((edge) => drawEdgeLabel(edge, view)),
      ...view.nodes.map((node) => drawNode(node, view)),
    );
  }

  let listed = null;
  function fillList(view) {
    if (listed !== view.example) {
      listed = view.example;
      const groups = new Map();
      for (const leaf of view.leaves) {
        if (!groups.has(leaf.group)) groups.set(leaf.group, element("optgroup", { label: leaf.group }));
        groups.get(leaf.group).append(element("option", { value: leaf.name }, leaf.words));
      }
      list.replaceChildren(...groups.values());
    }
    list.value = view.selected;
  }

  return (view) => {
    stage.dataset.direction = view.direction;
    stage.dataset.example = view.example;
    example.update(view.example);
    walk.start.disabled = walk.back.disabled = view.step === 0;
    walk.end.disabled = walk.forward.disabled = view.step === view.steps;
    timeline.update(view.step, { min: 0, max: view.steps });
    track.style.setProperty("--turning", `${(100 * view.turning) / view.steps}%`);
    drawGraph(view);
    const arrow = { forward: "Forward →", backward: "← Backward", "": "Start" }[view.direction];
    title.replaceChildren(element("span", { class: "graph-way" }, arrow), ` ${view.title || "step forward to fill the graph from left to right"}`);
    rules.replaceChildren(
      ...view.rules.flatMap(([formula, numbers]) => [
        element("div", { class: "graph-formula" }, ...richHtml(formula)),
        element("div", { class: "graph-worked" }, `= ${numbers}`),
      ]),
    );
    fillList(view);
    const leaf = view.leaves.find((item) => item.name === view.selected);
    amount.node.querySelector("label").replaceChildren(...richHtml(leaf.symbol));
    amount.update(view.slider.value, { min: view.slider.min, max: view.slider.max, step: 0.05 });
    restore.disabled = !view.changed;
    note.classList.toggle("cnn-wrong", view.wrong);
    note.replaceChildren(...(view.wrong ? ["✗ "] : []), ...richHtml(view.words));
  };
});
