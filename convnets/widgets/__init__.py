"""Interactive pictures driven by the learner's own functions."""

from convnets.widgets.computation_graph import ComputationGraph
from convnets.widgets.kernel_painter import KernelPainter
from convnets.widgets.playground import Playground
from convnets.widgets.sliding_kernel import SlidingKernel

__all__ = ["ComputationGraph", "KernelPainter", "Playground", "SlidingKernel"]
