// Shared by all widgets: joined in front of each widget's own file (see base.py), so nothing is imported.

/** Make an element: element("p", { class: "note", "aria-live": "polite" }, "text", child). */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an SVG element: svg("line", { x1: 0, x2: 9 }). */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Set text only where it differs: an untouched live region is not read aloud again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** An id of its own in the page: each widget has its own copy of this file, so counting is not enough. */
function freshId() {
  return `cnn-${Math.random().toString(36).slice(2)}`;
}

/** A labelled range input with its value beside it. onInput(number) is called while it is dragged. */
function slider({ label, onInput, format = String }) {
  const id = freshId();
  const value = element("output", { for: id, class: "cnn-value" });
  const input = element("input", {
    id,
    type: "range",
    oninput: () => {
      setText(value, format(Number(input.value)));
      onInput(Number(input.value));
    },
  });
  const node = element("div", { class: "cnn-control cnn-slider" }, element("label", { for: id }, label), input, value);
  return {
    node,
    input,
    update(number, { min, max, step = 1, disabled = false }) {
      Object.assign(input, { min, max, step, disabled });
      input.value = number;
      setText(value, format(number));
    },
  };
}

/** A labelled number with - and + buttons; typing, the arrow keys and both buttons work. */
function stepper({ label, onInput }) {
  const id = freshId();
  const input = element("input", {
    id,
    type: "number",
    onchange: () => {
      const wanted = Math.round(Number(input.value));
      if (input.value !== "") onInput(Math.min(Number(input.max), Math.max(Number(input.min), wanted)));
    },
  });
  const by = (step) => () => {
    input.stepUp(step);
    input.dispatchEvent(new Event("change"));
  };
  const less = button({ label: "−", title: `less ${label}`, onClick: by(-1) });
  const more = button({ label: "+", title: `more ${label}`, onClick: by(1) });
  const box = element("span", { class: "cnn-stepper-box" }, less, input, more);
  const node = element("div", { class: "cnn-control cnn-stepper" }, element("label", { for: id }, label), box);
  return {
    node,
    input,
    update(number, { min, max, step = 1, disabled = false }) {
      Object.assign(input, { min, max, step, disabled });
      input.value = number;
      less.disabled = disabled || number <= min;
      more.disabled = disabled || number >= max;
    },
  };
}

/** A group of radio buttons drawn as one segmented bar. options: [[value, label], ...]. */
function choice({ label, options, onInput }) {
  const name = freshId();
  const inputs = new Map();
  const bar = element("span", { class: "cnn-choice-bar" });
  for (const [value, text] of options) {
    const input = element("input", { type: "radio", name, value, onchange: () => onInput(value) });
    inputs.set(value, input);
    bar.append(element("label", {}, input, element("span", {}, text)));
  }
  const node = element("fieldset", { class: "cnn-control cnn-choice" }, element("legend", {}, label), bar);
  return {
    node,
    update(value) {
      for (const [own, input] of inputs) input.checked = own === value;
    },
  };
}

/** Read a typed weight: "2", "-0.5", "−1", "1/9"; NaN where it is no number. */
function parseWeight(text) {
  const [top, bottom = "1", ...rest] = text.trim().replace("−", "-").replace(",", ".").split("/");
  return rest.length > 0 || top === "" || bottom === "" ? NaN : Number(top) / Number(bottom);
}

/**
 * A grid of numbers to type into; the arrow keys move between its cells. onInput(row, column, number).
 * update([[text, ...], ...]) draws it: positive, negative and zero weights differ in colour (and sign).
 */
function numberGrid({ label, onInput }) {
  const node = element("div", { class: "cnn-number-grid", role: "group", "aria-label": label });
  let shape = "";
  const at = (row, column) => node.querySelector(`[data-row="${row}"][data-column="${column}"]`);
  const keep = (input) => {
    const wanted = parseWeight(input.value);
    input.setAttribute("aria-invalid", String(!Number.isFinite(wanted)));
    return wanted;
  };

  function cell(row, column) {
    return element("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "data-row": row,
      "data-column": column,
      "aria-label": `weight in row ${row}, column ${column}`,
      onfocus: (event) => event.target.select(),
      onclick: (event) => event.target.select(), // the mouse's own caret has replaced what onfocus selected
      oninput: (event) => {
        const wanted = keep(event.target);
        if (Number.isFinite(wanted)) onInput(row, column, wanted);
      },
      onblur: (event) => {
        event.target.value = event.target.dataset.text;
        keep(event.target);
      },
      onkeydown: (event) => {
        const input = event.target;
        const whole = input.selectionEnd - input.selectionStart === input.value.length;
        const start = whole || input.selectionStart === 0;
        const end = whole || input.selectionEnd === input.value.length;
        const next = {
          ArrowUp: at(row - 1, column),
          ArrowDown: at(row + 1, column),
          ArrowLeft: start && at(row, column - 1),
          ArrowRight: end && at(row, column + 1),
          Enter: at(row, column + 1) ?? at(row + 1, 0),
        }[event.key];
        if (next) {
          event.preventDefault();
          next.focus();
        }
      },
    });
  }

  return {
    node,
    update(rows) {
      const wanted = `${rows.length} ${rows[0].length}`;
      if (wanted !== shape) {
        shape = wanted;
        node.style.setProperty("--columns", rows[0].length);
        node.replaceChildren(...rows.flatMap((texts, row) => texts.map((_, column) => cell(row, column))));
      }
      rows.flat().forEach((text, index) => {
        const input = node.children[index];
        input.dataset.text = text;
        input.dataset.sign = Math.sign(parseWeight(text));
        // What is being typed ("0." on the way to "0.5") is not written over.
        if (input !== document.activeElement || parseWeight(input.value) !== parseWeight(text)) {
          input.value = text;
          if (input === document.activeElement) input.select();
        }
      });
    },
  };
}

/** A native button; `title` is its accessible name when the label is only a sign. */
function button({ label, title = null, onClick, kind = "" }) {
  return element(
    "button",
    { type: "button", class: `cnn-button ${kind}`, title, "aria-label": title, onclick: onClick },
    label,
  );
}

/**
 * The frame of every widget: a stage for its own nodes, a status sentence, the line of Python that restores it.
 * build(stage, send) makes the nodes once and returns draw(view); send(action, values) asks Python for a new view.
 */
function courseWidget(title, build) {
  return {
    render({ model, el }) {
      const stage = element("div", { class: "cnn-stage" });
      const status = element("p", { class: "cnn-status", role: "status", "aria-live": "polite" });
      const problem = element("p", { class: "cnn-problem", role: "alert" });
      const code = element("code", { class: "cnn-code", tabindex: 0, "aria-label": "this state as Python" });
      const copy = button({
        label: "Copy",
        title: "copy this line of Python",
        onClick: async () => {
          const range = document.createRange();
          range.selectNodeContents(code);
          getSelection().removeAllRanges();
          getSelection().addRange(range);
          try {
            await navigator.clipboard.writeText(code.textContent);
            setText(copy, "Copied");
          } catch {
            setText(copy, "Ctrl+C"); // no clipboard outside a secure page: the line is selected, the key copies it
          }
          setTimeout(() => setText(copy, "Copy"), 1500);
        },
      });
      const root = element(
        "section",
        // Lumino would take arrow keys and letters as JupyterLab's own shortcuts.
        { class: "cnn-widget", "aria-label": title, "data-lm-suppress-shortcuts": "true" },
        stage,
        status,
        problem,
        element("div", { class: "cnn-code-line" }, code, copy),
      );
      root.addEventListener("keydown", (event) => event.stopPropagation());

      let waiting = false;
      let late = null;
      let ticking = null;
      const pending = [];

      function flush() {
        if (waiting || pending.length === 0) return;
        waiting = true;
        late = setTimeout(() => root.classList.add("cnn-late"), 1000);
        model.send(pending.shift());
      }

      function send(action, values = {}) {
        const last = pending.at(-1);
        if (action === "set" && last?.do === "set") Object.assign(last, values);
        else pending.push({ do: action, ...values });
        flush();
      }

      const draw = build(stage, send);

      function show() {
        const view = model.get("view");
        waiting = false;
        clearTimeout(late);
        clearTimeout(ticking);
        root.classList.remove("cnn-late");
        // A newer value of a control is on its way: drawing this one would make a dragged control jump back.
        if (!pending.some((message) => message.do === "set")) draw(view);
        setText(status, view.status);
        setText(problem, view.problem);
        problem.hidden = view.problem === "";
        setText(code, view.code);
        root.dataset.turn = view.turn;
        // While an answer is under way a tick would be out of date; that answer's view asks for the next one.
        const tick = () => waiting || send("tick", { turn: view.turn });
        if (view.tick_ms) ticking = setTimeout(tick, view.tick_ms);
        flush();
      }

      model.on("change:view", show);
      el.append(root);
      show();
      return () => {
        model.off("change:view", show);
        clearTimeout(late);
        clearTimeout(ticking);
      };
    },
  };
}
