"""What a kernel costs from start to its first answers, cold, forked warm, and in the sandbox; and nbgrader with each.

Run with ``python -m benchmarks.kernel_start [--repeats 9] [--students 8]``. Prints Markdown. The kinds take turns,
so a busy machine treats them alike; the CPU time is the kernel's own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from traitlets.config import Config

from benchmarks.scratch import SMALL, make_course
from grader.demo import make_demo
from grader.engine import linux

SETTING = "JUPYTER_DEFAULT_PROVISIONER_NAME"
KINDS = {"local-provisioner": "cold", "warm": "warm", "warm-sandboxed": "warm, sandbox"}
#: The first cell of a notebook of each profile.
FIRST_CELL = {
    "numpy": "import numpy as np, matplotlib.pyplot as plt\nnp.ones((8, 8)) @ np.ones((8, 8))",
    "torch": """
import numpy as np, matplotlib.pyplot as plt, torch
model = torch.nn.Linear(8, 8)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model(torch.ones(8, 8)).sum().backward()
optimizer.step()
""",
}
MODULES = {"numpy": "90_numpy", "torch": "91_torch"}
PR_SET_CHILD_SUBREAPER = 36


def answer(client: BlockingKernelClient, code: str, **options: object) -> dict[str, object]:
    """Run a cell and return its reply."""
    number = client.execute(code, **options)
    while True:
        reply = client.get_shell_msg(timeout=120)
        if reply["parent_header"].get("msg_id") == number:
            return dict(reply["content"])


def start(kind: str, profile: str, folder: Path) -> tuple[float, float, float]:
    """Start a kernel; return the seconds to its first answer, to that of the first cell, and its CPU seconds."""
    os.environ[SETTING] = kind
    KernelProvisionerFactory.clear_instance()
    manager = KernelManager(config=Config({"WarmProvisioner": {"profile": profile}}))
    begin = time.perf_counter()
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    answer(client, "")
    first = time.perf_counter() - begin
    answer(client, FIRST_CELL[profile])
    cell = time.perf_counter() - begin
    used = answer(client, "import time", user_expressions={"cpu": "time.process_time()"})
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return first, cell, float(used["user_expressions"]["cpu"]["data"]["text/plain"])  # type: ignore[index]


def starts(repeats: int, folder: Path) -> None:
    """Print what starting costs."""
    print("| imported | kernel | first answer | first cell done | CPU of the kernel | the first of all |")
    print("| --- | --- | --- | --- | --- | --- |")
    for profile in FIRST_CELL:
        very_first = {kind: start(kind, profile, folder)[1] for kind in KINDS}
        taken: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
        for _ in range(repeats):
            for kind in KINDS:
                taken[kind].append(start(kind, profile, folder))
        for kind, name in KINDS.items():
            cells = [f"{statistics.median(column):.2f} s" for column in zip(*taken[kind], strict=True)]
            print(f"| {profile} | {name} | {' | '.join(cells)} | {very_first[kind]:.1f} s |", flush=True)


def autograde(course: Path, module: str, profile: str, kind: str) -> tuple[float, float]:
    """Grade with stock nbgrader; return wall and CPU seconds, those of zygote and kernels included."""
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(f'c.WarmProvisioner.profile = "{profile}"\n')
    beside = str(Path(sys.executable).parent)
    environment = {**os.environ, SETTING: kind, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [f"{beside}/nbgrader", "autograde", module, "--CourseDirectory.ignore=.ipynb_checkpoints"]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    wall = time.perf_counter() - begin
    if done.returncode or "starts cold" in done.stderr:
        raise SystemExit(done.stderr)
    while True:  # a zygote that outlived its nbgrader for a moment is this process's child now
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def nbgrader(students: int, folder: Path) -> None:
    """Print what grading the same class with stock nbgrader costs on kernels of each kind."""
    print(f"\n| `nbgrader autograde`, {students} submissions | kernels | wall | wall a submission | CPU a submission |")
    print("| --- | --- | --- | --- | --- |")
    for profile, module in MODULES.items():
        made = folder / f"{profile} made"
        course = make_course(made, [SMALL / module])
        demo = make_demo(course, 4 * students, folder / f"{profile} class", modules=[module])
        told = json.loads(demo.expected.read_text())["modules"][module]["students"]
        sound = [name for name, one in told.items() if one["kind"].startswith(("right", "mistake"))]
        for name in sound[:students]:
            shutil.copytree(demo.folder / name, made / "submitted" / name)
        for kind, name in KINDS.items():
            copy = folder / f"{profile} {kind}"
            shutil.copytree(made, copy)
            wall, cpu = autograde(copy, module, profile, kind)
            row = f"| {profile} | {name} | {wall:.1f} s | {wall / students:.2f} s | {cpu / students:.2f} s |"
            print(row, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--students", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "empty").mkdir()
        # In a process of its own: its zygotes end with it, and the second part waits for all that are left.
        first = multiprocessing.Process(target=starts, args=(options.repeats, folder / "empty"))
        first.start()
        first.join()
        linux.prctl(PR_SET_CHILD_SUBREAPER, 1)
        nbgrader(options.students, folder)


if __name__ == "__main__":
    main()
