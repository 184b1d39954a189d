"""Loaders of the course's data. Every file is checked against its SHA-256; nothing is ever downloaded."""

from convnets.data.curves import TrainingCurve, plain_and_residual, small_fashion_mnist
from convnets.data.files import DataError, data_folder
from convnets.data.imagenet import ContestEntry, imagenet_classes, imagenet_history, imagenet_weights
from convnets.data.images import (
    LabelledImages,
    Stamps,
    digits,
    fashion_mnist,
    photograph,
    photograph_names,
    stamps,
)
from convnets.data.temperatures import (
    Normals,
    Weather,
    Windows,
    seattle_normals,
    seattle_weather,
    temperature_windows,
)

__all__ = [
    "ContestEntry",
    "DataError",
    "LabelledImages",
    "Normals",
    "Stamps",
    "TrainingCurve",
    "Weather",
    "Windows",
    "data_folder",
    "digits",
    "fashion_mnist",
    "imagenet_classes",
    "imagenet_history",
    "imagenet_weights",
    "photograph",
    "photograph_names",
    "plain_and_residual",
    "seattle_normals",
    "seattle_weather",
    "small_fashion_mnist",
    "stamps",
    "temperature_windows",
]
