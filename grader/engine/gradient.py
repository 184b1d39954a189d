"""Gradients that flow through a learner's process; the only module of the trusted side that imports torch."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from grader.engine.proxy import CannotCarry, Session


class _Through(torch.autograd.Function):
    """One result of a learner's graph: its values are given, its backward runs there."""

    @staticmethod
    def forward(
        ctx: Any, session: Session, number: int, keys: Any, values: list[torch.Tensor], *leaves: torch.Tensor
    ) -> torch.Tensor:
        ctx.session, ctx.number, ctx.keys = session, number, keys
        return values[0]

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> Any:
        if torch.is_grad_enabled():
            raise CannotCarry(
                "create_graph=True through a learner's function: gradients of gradients cannot be carried"
            )
        grads = ctx.session.backward(ctx.number, grad_output.detach(), ctx.keys)
        # The last leaf is there so that the result requires a gradient when only the learner's own parameters do.
        return (None, None, None, None, *grads, None)


def join(
    session: Session, number: int, keys: tuple[tuple[int, int], ...], values: torch.Tensor, leaves: list[torch.Tensor]
) -> torch.Tensor:
    """Return `values` as a tensor that depends on `leaves` through the learner's process.

    Parameters
    ----------
    session : Session
        Where the graph is.
    number : int
        The result's number there.
    keys : tuple of (int, int)
        Kind and number of each leaf.
    values : Tensor
        What the learner's code computed.
    leaves : list of Tensor
        What it was computed from, as far as it is known here.
    """
    anchor = torch.zeros((), requires_grad=True)
    with torch.enable_grad():
        result: torch.Tensor = _Through.apply(  # type: ignore[no-untyped-call]
            session, number, keys, [values], *leaves, anchor
        )
    # The node of the graph lives as long as anything on this side may run backward through it.
    weakref.finalize(result.grad_fn, session.drop_result, number).atexit = False
    return result
