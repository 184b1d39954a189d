"""Measure how long a widget needs from a changed control to the changed picture, in a real JupyterLab.

Usage, from the root of the repository::

    python -m benchmarks.widget_latency [--changes 40]

The clock runs in the browser: from the event that a control sends, through the kernel and back, until the frame after
the new view has been drawn. The target is a median of at most 100 ms on two cores.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.browser.harness import BrowserError, chromium, open_notebook, running_lab

TARGET_MS = 100.0

#: Moves a slider back and forth between two values; used as SLIDER % (label, value, value).
SLIDER = """(root, i) => {
  const label = [...root.querySelectorAll("label")].find((node) => node.textContent === "%s");
  const input = label.parentNode.querySelector("input");
  input.value = i %% 2 ? %s : %s;
  input.dispatchEvent(new Event("input"));
}"""

#: Presses two elements in turn, found by CSS selectors: PRESS % (second, first). Begin with a radio button not checked.
PRESS = """(root, i) => root.querySelector(i %% 2 ? '%s' : '%s').click()"""

#: Performs one change and resolves to the milliseconds until the frame after the next view.
MEASURE = """
([root, i, change]) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`no new picture within 10 s after change ${i}: ${change}`)), 10_000);
  const start = performance.now();
  const seen = new MutationObserver(() => {
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  });
  setTimeout(() => reject(new Error("no answer within 20 seconds")), 20000);
  seen.observe(root, { attributeFilter: ["data-turn"] });
  eval(change)(root, i);
})
"""


@dataclass(frozen=True)
class Probe:
    """One control of one widget: the code that shows the widget, and JavaScript (root, i) => ... that changes it."""

    widget: str
    control: str
    setup: str
    code: str
    change: str


LOOPS = """
import numpy as np
from convnets.widgets import KernelPainter, SlidingKernel

def cross_correlate2d(image, kernel, stride=1, padding=0):
    x = np.pad(image, padding)
    rows, columns = ((n - k) // stride + 1 for n, k in zip(x.shape, kernel.shape))
    output = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            output[i, j] = (x[top : top + kernel.shape[0], left : left + kernel.shape[1]] * kernel).sum()
    return output

def vectorised(image, kernel, stride=1, padding=0):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, padding), kernel.shape)[::stride, ::stride]
    return np.einsum("ijkl,kl->ij", windows, kernel)
"""

AUTOGRAD = """
import math
import numpy as np
from convnets.widgets import ComputationGraph, Playground

class Value:
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = float(data), tuple(inputs), 0.0

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data))
        return Value(y, [(self, y * (1 - y))])

    def backward(self, gradient=1.0):
        self.grad += gradient
        for source, slope in self.inputs:
            source.backward(gradient * slope)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def gradient_step(parameters, gradients, lr):
    return {name: parameters[name] - lr * gradients[name] for name in parameters}
"""

#: Chooses one of two entries of a list in turn; used as CHOOSE % (selector, value, value).
CHOOSE = """(root, i) => {
  const list = root.querySelector("%s");
  list.value = i %% 2 ? "%s" : "%s";
  list.dispatchEvent(new Event("change"));
}"""

BIG_NET = "Playground(sigmoid, gradient_step, dataset='spiral', hidden=(8, 8, 8)"

PROBES = [
    Probe(
        "ComputationGraph",
        "step",
        AUTOGRAD,
        "ComputationGraph(Value, step=5)",
        PRESS % ('[title="step forward"]', '[title="step back"]'),
    ),
    Probe(
        "ComputationGraph, all steps",
        "weight",
        AUTOGRAD,
        "ComputationGraph(Value, step=11)",
        SLIDER % ("wj1k1", 0.5, 1.5),
    ),
    Probe("Playground, 4-4", "noise", AUTOGRAD, "Playground(sigmoid, gradient_step)", SLIDER % ("noise", 0.1, 0.5)),
    Probe("Playground, 8-8-8", "activation", AUTOGRAD, f"{BIG_NET})", CHOOSE % ("select", "tanh", "sigmoid")),
    Probe(
        "Playground, 8-8-8",
        "unit",
        AUTOGRAD,
        f"{BIG_NET}, steps=500)",
        PRESS % ('[aria-label="hidden layer 3, unit 8"]', '[aria-label="hidden layer 1, unit 1"]'),
    ),
    Probe(
        "Playground, 8-8-8",
        "train a step",
        AUTOGRAD,
        f"{BIG_NET}, steps=500)",
        PRESS % ('[title="one step of gradient descent"]', '[title="one step of gradient descent"]'),
    ),
    Probe("SlidingKernel, loops", "stride", LOOPS, "SlidingKernel(cross_correlate2d)", SLIDER % ("stride", 1, 2)),
    Probe(
        "SlidingKernel, 9 × 9",
        "padding",
        LOOPS,
        "SlidingKernel(cross_correlate2d, image=9, dilation=2)",
        SLIDER % ("padding", 2, 3),
    ),
    Probe(
        "SlidingKernel, 9 × 9",
        "arrow key",
        LOOPS,
        "SlidingKernel(cross_correlate2d, image=9, padding=3)",
        """(root, i) => root.querySelector(".sk-output").dispatchEvent(
             new KeyboardEvent("keydown", { key: i % 2 ? "ArrowLeft" : "ArrowRight" }))""",
    ),
    Probe(
        "SlidingKernel, transposed",
        "dilation",
        LOOPS,
        "SlidingKernel(cross_correlate2d, transposed=True, stride=2)",
        SLIDER % ("dilation", 1, 2),
    ),
    *(
        Probe(
            f"KernelPainter, {words}",
            "preset",
            LOOPS,
            f"KernelPainter({function})",
            PRESS % ('[value="edge"]', '[value="gauss"]'),
        )
        for words, function in (("toolkit", "None"), ("vectorised", "vectorised"), ("loops", "cross_correlate2d"))
    ),
    Probe(
        "KernelPainter, loops",
        "weight",
        LOOPS,
        "KernelPainter(cross_correlate2d)",
        """(root, i) => {
             const input = root.querySelector(".cnn-number-grid input");
             input.value = i % 2;
             input.dispatchEvent(new Event("input"));
           }""",
    ),
]


def measured(changes: int) -> list[tuple[Probe, list[float]]]:
    """Return the latencies of each probe in milliseconds."""
    results = []
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab, chromium() as browser:
        for setup in dict.fromkeys(probe.setup for probe in PROBES):
            notebook = open_notebook(lab, browser, [setup], f"latency_{abs(hash(setup))}")
            for probe in (probe for probe in PROBES if probe.setup == setup):
                root = notebook.run(probe.code).element_handle()
                # The first changes warm up PyTorch and the browser's own compiler.
                times = [notebook.page.evaluate(MEASURE, [root, i, probe.change]) for i in range(changes + 4)]
                results.append((probe, times[4:]))
            notebook.page.context.close()
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the latency of all widgets.")
    parser.add_argument("--changes", type=int, default=40, help="changes of each control (default 40)")
    try:
        results = measured(parser.parse_args().changes)
    except BrowserError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{'widget':<28} {'control':<12} {'median':>8} {'90 %':>8} {'worst':>8}   ms")
    for probe, times in results:
        median, high = statistics.median(times), statistics.quantiles(times, n=10)[-1]
        mark = "✓" if median <= TARGET_MS else "✗"
        print(f"{probe.widget:<28} {probe.control:<12} {median:8.0f} {high:8.0f} {max(times):8.0f}   {mark}")
    return 0 if all(statistics.median(times) <= TARGET_MS for _, times in results) else 1


if __name__ == "__main__":
    sys.exit(main())
