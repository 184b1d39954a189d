"""Search by example: a stamp asks, and the nearest of all stamps answer, ranked by the learner's own function."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from convnets import data
from convnets.cache import cached
from convnets.training import full_or_fast
from convnets.widgets.base import Array, CourseWidget, Learner, Trade, assets, missing_words

VECTORS = ("features", "pixels")
#: Neighbours shown; side of a stamp in the sheet, and in the pixels that are compared; stamps in a row of the sheet.
SHOWN = 8
SIDE = 64
PIXELS = 32
COLUMNS = 16


@dataclass(frozen=True)
class SearchState:
    """Which stamp asks, and how stamps are compared.

    Attributes
    ----------
    asked : int
        Number of the stamp, from 0.
    vectors : "features" or "pixels"
        ImageNet features (1,280 numbers) or colours of 32 × 32 pixels on white.
    cosine : bool
        Cosine similarity, or the plain dot product.
    relatives : bool
        Whether stamps of the same subject may be found; itself never is.
    """

    asked: int = 0
    vectors: str = "features"
    cosine: bool = True
    relatives: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.asked, int) or not 0 <= self.asked < 206:
            raise ValueError(f"asked is the number of a stamp, 0 to 205, not {self.asked!r}.")
        if self.vectors not in VECTORS:
            raise ValueError(f"vectors is one of {', '.join(VECTORS)}, not {self.vectors!r}.")


def nearest(
    queries: Array, gallery: Array, k: int, cosine: bool = True, forbidden: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.int64]:
    """Return the indices of the k nearest vectors, (Q, k): the toolkit's version of the exercise."""
    if cosine:
        queries, gallery = (v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12) for v in (queries, gallery))
    distance = -(queries @ gallery.T)
    if forbidden is not None:
        distance = np.where(forbidden, np.inf, distance)
    return np.argsort(distance, axis=1, kind="stable")[:, :k]


def _on_white() -> npt.NDArray[np.float32]:
    """Return all stamps on white as network input, (206, 3, 128, 128)."""
    images = data.stamps().images
    alpha = images[..., 3:] / 255
    colours = np.round(images[..., :3] * alpha + 255 * (1 - alpha)).astype(np.float32)
    return np.ascontiguousarray(((colours - 127) / 128).transpose(0, 3, 1, 2))


def _features(x: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Return the 1,280 numbers that EfficientNet-Lite0 says about each picture at another size."""
    import torch

    from convnets.models.efficientnet_lite0 import efficientnet_lite0

    network = efficientnet_lite0()
    maps = []
    with torch.inference_mode():
        for batch in torch.from_numpy(x).split(32):  # type: ignore[no-untyped-call]
            enlarged = torch.nn.functional.interpolate(
                batch, size=(size, size), mode="bilinear", antialias=size < x.shape[-1]
            )
            maps.append(network.features(enlarged.contiguous(memory_format=torch.channels_last)).mean(dim=(2, 3)))
    return torch.cat(maps).numpy()


@cache
def stamp_vectors(vectors: str) -> Array:
    """Return one vector for each stamp, (206, D); the features take some seconds and are kept on disk."""
    x = _on_white()
    if vectors == "pixels":
        block = x.shape[-1] // PIXELS
        means: Array = x.reshape(len(x), 3, PIXELS, block, PIXELS, block).mean(axis=(3, 5), dtype=np.float64)
        return means.reshape(len(x), -1)
    return np.asarray(cached(_features, x, full_or_fast(160, 32)), np.float64)


@cache
def sheet_rule() -> str:
    """Return a CSS rule that holds all stamps in one picture, 16 a row, transparent around them.

    Views name stamps by number, so that the pictures travel once and not with every click.
    """
    from PIL import Image

    images = data.stamps().images
    sheet = Image.new("RGBA", (COLUMNS * SIDE, -(-len(images) // COLUMNS) * SIDE))
    for number, image in enumerate(images):
        small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (number % COLUMNS * SIDE, number // COLUMNS * SIDE))
    stream = io.BytesIO()
    sheet.quantize(256).save(stream, "PNG", optimize=True)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return f".cnn-widget .ss-stamp {{ background-image: url(data:image/png;base64,{encoded}); }}"


def unusable(value: Any, k: int, allowed: npt.NDArray[np.bool_]) -> str:
    """Say why an answer cannot be shown, or return an empty text."""
    try:
        found = np.asarray(value)
    except ValueError:
        return "gave no array"
    if found.shape != (1, k):
        return f"gave the shape {found.shape} in the place of (1, {k})"
    if not np.issubdtype(found.dtype, np.integer) or found.min() < 0 or found.max() >= len(allowed):
        return f"gave what are no numbers of stamps, 0 to {len(allowed) - 1}"
    if not allowed[found[0]].all():
        return "found a stamp that is forbidden"
    return ""


def search(state: SearchState, learner: Learner = None) -> tuple[list[int], list[float], Trade, bool]:
    """Ask with a stamp.

    Parameters
    ----------
    state : SearchState
    learner : callable or None
        The learner's `nearest`.

    Returns
    -------
    found : list of int
        Numbers of the stamps, the nearest first.
    similarity : list of float
        Cosine or dot product of each with the one that asks.
    trade : Trade
        Who did the work, and what is to be said about it.
    agrees : bool
        Whether the similarities fall as they should.
    """
    vectors = stamp_vectors(state.vectors)
    subjects = np.array(data.stamps().subjects)
    forbidden = np.arange(len(vectors)) == state.asked
    if not state.relatives:
        forbidden |= subjects == subjects[state.asked]
    query = vectors[state.asked : state.asked + 1]
    arguments = (query, vectors, SHOWN, state.cosine, forbidden[None])
    expected = nearest(*arguments)
    trade = Trade("nearest", learner)
    outcome = trade.ask(*arguments)
    found = expected
    if outcome is not None:
        if reason := unusable(outcome.value, SHOWN, ~forbidden):
            trade.refuse(reason)
        else:
            found = np.asarray(outcome.value)
    similarity = vectors @ query[0]
    if state.cosine:
        similarity = similarity / np.maximum(np.linalg.norm(vectors, axis=1) * np.linalg.norm(query), 1e-12)
    # Compared by similarity, not by number: the order of equals is not seen here.
    agrees = bool(np.allclose(similarity[found[0]], similarity[expected[0]], rtol=1e-6, atol=1e-9))
    return found[0].tolist(), similarity[found[0]].tolist(), trade, agrees


def view_of(state: SearchState, learner: Learner = None) -> dict[str, Any]:
    """Describe the stamp that asks, its neighbours and the sheet of all stamps."""
    stamps = data.stamps()
    found, similarity, trade, agrees = search(state, learner)
    name = [one.replace("_", " ") for one in stamps.names]
    class_of = [stamps.classes[label] for label in stamps.labels]
    right = [class_of[k] == class_of[state.asked] for k in found]
    notes = []
    if trade.missing:
        notes.append({"words": missing_words(["nearest"]), "wrong": False})
    elif trade.words:
        notes.append({"words": trade.words, "wrong": True})
    elif not agrees:
        notes.append({"words": "Your nearest gives other stamps than the most similar ones.", "wrong": True})
    kind = "cosine" if state.cosine else "dot product"
    return {
        "asked": state.asked,
        "vectors": state.vectors,
        "cosine": state.cosine,
        "relatives": state.relatives,
        "count": len(name),
        "question": {"name": name[state.asked], "class": class_of[state.asked]},
        "found": [
            {"number": k, "name": name[k], "class": class_of[k], "right": good, "similarity": f"{value:.2f}"}
            for k, value, good in zip(found, similarity, right, strict=True)
        ],
        "notes": notes,
        "status": f"{name[state.asked]} ({class_of[state.asked]}) by {kind} of {state.vectors}: {sum(right)} of "
        f"{len(found)} neighbours have its class; the nearest is {name[found[0]]}.",
    }


class StampSearch(CourseWidget[SearchState]):
    """Click a stamp, or move with the arrow keys, and see its nearest neighbours.

    Parameters
    ----------
    nearest : callable or None
        Yours: ``nearest(queries, gallery, k, cosine, forbidden)``.
    asked : int
        Number of the stamp that asks, 0 to 205.
    vectors : "features" or "pixels"
    cosine : bool
        Cosine similarity, or the plain dot product.
    relatives : bool
        Whether stamps of the same subject may be found.

    Raises
    ------
    ValueError
        For a stamp or vectors that do not exist.
    """

    _esm, _css = assets("stamp_search")

    def __init__(
        self,
        nearest: Learner = None,
        *,
        asked: int = 0,
        vectors: str = "features",
        cosine: bool = True,
        relatives: bool = True,
    ) -> None:
        self.learner = nearest
        super().__init__(SearchState(asked, vectors, cosine, relatives), (("nearest", nearest),))
        self._css = f"{self._css}\n{sheet_rule()}"

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.learner)
