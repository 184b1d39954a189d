// The browser part of the photograph under attack; base.js stands in front of it. It draws what view_of() describes.

/** Draw a picture of red, green and blue bytes into a canvas of exactly its size. */
function drawPicture(canvas, { side, bytes }) {
  if (canvas.width !== side) Object.assign(canvas, { width: side, height: side });
  const image = new ImageData(side, side);
  const colours = new Uint8Array(bytes.buffer, bytes.byteOffset, side * side * 3);
  for (let pixel = 0; pixel < side * side; pixel += 1) {
    image.data.set(colours.subarray(3 * pixel, 3 * pixel + 3), 4 * pixel);
    image.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export default courseWidget("A photograph under attack", (stage, send) => {
  let photographs = null;
  let targets = null;
  const photographPlace = element("div");
  const targetPlace = element("div");
  const method = choice({
    label: "change by",
    options: [["random", "random signs"], ["one step", "one step"], ["PGD", "PGD"]],
    onInput: (value) => send("set", { method: value }),
  });
  const epsilon = slider({
    label: "ε, in steps of 255",
    format: (value) => String(value),
    onInput: (value) => send("set", { epsilon: value }),
  });
  const figures = [0, 1, 2].map(() => {
    const canvas = element("canvas", { role: "img" });
    const caption = element("figcaption", {});
    return { canvas, caption, node: element("figure", {}, caption, canvas) };
  });
  const bars = element("div", { class: "es-bars", role: "group", "aria-label": "what the network sees" });
  const notes = element("div", { class: "es-notes", role: "status" });
  stage.append(
    element("div", { class: "cnn-controls es-controls" }, photographPlace, targetPlace),
    element("div", { class: "cnn-controls es-controls" }, method.node, epsilon.node),
    element("div", { class: "es-panels" }, ...figures.map((own) => own.node)),
    bars,
    notes,
  );

  return (view) => {
    if (photographs === null) {
      photographs = choice({
        label: "photograph",
        options: view.photographs.map((name) => [name, name]),
        onInput: (name) => send("set", { photograph: name }),
      });
      targets = choice({
        label: "target class",
        options: view.targets.map((name) => [name, name]),
        onInput: (name) => send("set", { target: name }),
      });
      photographPlace.replaceWith(photographs.node);
      targetPlace.replaceWith(targets.node);
    }
    photographs.update(view.photograph);
    targets.update(view.target);
    method.update(view.method);
    const [value, min, max, step] = view.epsilon;
    epsilon.update(value, { min, max, step });
    epsilon.input.setAttribute("aria-valuetext", `${value} of 255`);
    view.pictures.forEach((picture, index) => {
      setText(figures[index].caption, picture.title);
      figures[index].canvas.setAttribute("aria-label", `${picture.title}: ${view.photograph}`);
      drawPicture(figures[index].canvas, picture);
    });
    bars.replaceChildren(
      ...view.classes.map(([name, p, aimed]) =>
        element(
          "div",
          { class: aimed ? "es-row es-aimed" : "es-row", "data-class": name },
          element("span", { class: "es-name", title: name }, aimed ? `→ ${name}` : name),
          element("span", { class: "es-track" }, element("span", { class: "es-bar", style: `width: ${(100 * p).toFixed(1)}%` })),
          element("span", { class: "es-share" }, p.toFixed(4)),
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
