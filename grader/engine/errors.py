"""The errors of the engine's own machinery: never the learner's fault, each told in one line."""

from __future__ import annotations


class EngineError(Exception):
    """Something in the trusted machinery is not as it should be; the text says what, in one line."""
