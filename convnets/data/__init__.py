"""Loaders of the course's data. Every file is checked against its SHA-256; nothing is ever downloaded."""

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
    "seattle_normals",
    "seattle_weather",
    "stamps",
    "temperature_windows",
]
