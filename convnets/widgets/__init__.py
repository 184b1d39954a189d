"""Interactive pictures driven by the learner's own functions."""

from convnets.widgets.activation_slopes import ActivationSlopes
from convnets.widgets.architecture_calculator import ArchitectureCalculator
from convnets.widgets.augmentation_mixer import AugmentationMixer
from convnets.widgets.batchnorm_histograms import BatchnormHistograms
from convnets.widgets.code_explorer import CodeExplorer
from convnets.widgets.computation_graph import ComputationGraph
from convnets.widgets.confusion_browser import ConfusionBrowser
from convnets.widgets.convolution_terms import ConvolutionTerms
from convnets.widgets.denoise_drawing import DenoiseDrawing
from convnets.widgets.depth_curves import DepthCurves
from convnets.widgets.epsilon_slider import EpsilonSlider
from convnets.widgets.freeze_depth import FreezeDepth
from convnets.widgets.gradient_by_layer import GradientByLayer
from convnets.widgets.imagenet_winners import ImagenetWinners
from convnets.widgets.kernel_painter import KernelPainter
from convnets.widgets.neuron import Neuron
from convnets.widgets.occluder import Occluder
from convnets.widgets.optimizer_race import OptimizerRace
from convnets.widgets.playground import Playground
from convnets.widgets.pooling_stepper import PoolingStepper
from convnets.widgets.reading_demo import ReadingDemo
from convnets.widgets.receptive_field_painter import ReceptiveFieldPainter
from convnets.widgets.relu_steps import ReluSteps
from convnets.widgets.schedule_sketch import ScheduleSketch
from convnets.widgets.score_by_dimension import ScoreByDimension
from convnets.widgets.search_picture import SearchPicture
from convnets.widgets.segmentation_overlay import SegmentationOverlay
from convnets.widgets.signal_depth import SignalDepth
from convnets.widgets.sliding_kernel import SlidingKernel
from convnets.widgets.soft_labels import SoftLabels
from convnets.widgets.stamp_search import StampSearch
from convnets.widgets.thinned_nets import ThinnedNets
from convnets.widgets.train_eval_switch import TrainEvalSwitch
from convnets.widgets.unit_explorer import UnitExplorer
from convnets.widgets.upconvolution_stepper import UpconvolutionStepper

__all__ = [
    "ActivationSlopes",
    "ArchitectureCalculator",
    "AugmentationMixer",
    "BatchnormHistograms",
    "CodeExplorer",
    "ComputationGraph",
    "ConfusionBrowser",
    "ConvolutionTerms",
    "DenoiseDrawing",
    "DepthCurves",
    "EpsilonSlider",
    "FreezeDepth",
    "GradientByLayer",
    "ImagenetWinners",
    "KernelPainter",
    "Neuron",
    "Occluder",
    "OptimizerRace",
    "Playground",
    "PoolingStepper",
    "ReadingDemo",
    "ReceptiveFieldPainter",
    "ReluSteps",
    "ScheduleSketch",
    "ScoreByDimension",
    "SearchPicture",
    "SegmentationOverlay",
    "SignalDepth",
    "SlidingKernel",
    "SoftLabels",
    "StampSearch",
    "ThinnedNets",
    "TrainEvalSwitch",
    "UnitExplorer",
    "UpconvolutionStepper",
]
