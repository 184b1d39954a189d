"""Run a notebook from top to bottom in a kernel of its own and collect what its cells did."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.nbgrader_api import QUIET_KERNEL

#: MIME type by which an experiment tells its target and the figure it measured.
TARGET = "application/vnd.convnets.target+json"


@dataclass(frozen=True)
class CellRun:
    """What one code cell did.

    Attributes
    ----------
    cell_id : str
        Its id.
    seconds : float
        Wall time.
    error : str
        Text of its error as the learner sees it; empty without one.
    error_name : str
        Name of the exception's class.
    targets : list of dict
        Targets that it measured.
    stderr : str
        What it wrote to stderr.
    """

    cell_id: str
    seconds: float
    error: str = ""
    error_name: str = ""
    targets: list[dict[str, Any]] = field(default_factory=list)
    stderr: str = ""


def run_notebook(notebook: Any, folder: Path, *, fast: bool, on_cell: Callable[[], None]) -> list[CellRun]:
    """Run every cell, experiments too, and go on after errors.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Is changed: the outputs are put in.
    folder : Path
        Working directory of the kernel.
    fast : bool
        Fast mode.
    on_cell : callable
        Called after each cell.

    Returns
    -------
    list of CellRun
        One for each code cell.
    """
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as home:
        # Its own progress, and its own cache: what an earlier run has computed would hide what a run costs.
        own = {"CONVNETS_PROGRESS": f"{home}/progress", "CONVNETS_CACHE": f"{home}/cache"}
        environment = {**os.environ, **own, "CONVNETS_FAST": "1" if fast else "0"}
        environment.pop("NBGRADER_EXECUTION", None)
        client = NotebookClient(
            notebook,
            allow_errors=True,
            extra_arguments=QUIET_KERNEL,
            kernel_name="python3",
            on_cell_executed=lambda **_: on_cell(),
            record_timing=True,
            resources={"metadata": {"path": str(folder)}},
            shutdown_kernel="immediate",  # all it could tell is told; taking PyTorch down takes half a second
            skip_cells_with_tag="",
            timeout=300,
        )
        client.execute(env=environment)
    return [_cell_run(cell) for cell in notebook.cells if cell.cell_type == "code"]


def _cell_run(cell: Any) -> CellRun:
    errors = [output for output in cell.outputs if output.output_type == "error"]
    stderr = [o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    data = [output.data for output in cell.outputs if output.output_type == "display_data"]
    return CellRun(
        cell_id=cell.id,
        seconds=_seconds(cell.metadata.get("execution", {})),
        error="\n".join(errors[0].traceback) if errors else "",
        error_name=errors[0].ename if errors else "",
        targets=[dict(item[TARGET]) for item in data if TARGET in item],
        stderr="".join(stderr),
    )


def _seconds(timing: dict[str, str]) -> float:
    begin, end = timing.get("iopub.execute_input"), timing.get("shell.execute_reply")
    if not begin or not end:
        return 0.0
    first, last = (datetime.fromisoformat(value.replace("Z", "+00:00")) for value in (begin, end))
    return (last - first).total_seconds()
