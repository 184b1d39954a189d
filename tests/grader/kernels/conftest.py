"""Kernels of each provisioner, started and spoken to as any client of Jupyter does."""

import os
from contextlib import contextmanager

import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from traitlets.config import Config

from grader.engine import sandbox
from grader.kernels import zygote as zygotes

SETTING = "JUPYTER_DEFAULT_PROVISIONER_NAME"


@pytest.fixture(scope="package", autouse=True)
def no_zygote_left():
    yield
    for kept in (zygotes._plain, zygotes._sandboxed):
        for zygote in kept.values():
            zygote.close()
        kept.clear()


class KernelError(Exception):
    """What a cell raised, by name."""


class Kernel:
    """A running kernel."""

    def __init__(self, manager):
        self.manager = manager
        self.connect()

    def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def run(self, code, timeout=60):
        """Run a cell; return what it printed, the plain text of its results, and the kinds of what it displayed."""
        said = []

        def hear(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                said.append(content["text"])
            elif message["msg_type"] in ("execute_result", "display_data"):
                said.extend(kind if kind.startswith("image/") else text for kind, text in content["data"].items())

        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=hear, allow_stdin=False)
        if reply["content"]["status"] != "ok":
            raise KernelError(reply["content"]["ename"])
        return "".join(said)

    def restart(self):
        self.client.stop_channels()
        self.manager.restart_kernel()
        self.connect()


def manager(profile="numpy"):
    return KernelManager(config=Config({"WarmProvisioner": {"profile": profile}}))


@contextmanager
def running(folder, profile="numpy", env=None, **options):
    """A kernel of the provisioner that is set."""
    started = manager(profile)
    # ipykernel leaves descriptors alone where it believes to be tested.
    environment = {name: value for name, value in (env or os.environ).items() if name != "PYTEST_CURRENT_TEST"}
    started.start_kernel(cwd=str(folder), env=environment, **options)
    kernel = Kernel(started)
    try:
        yield kernel
    finally:
        kernel.client.stop_channels()
        started.shutdown_kernel(now=True)


@pytest.fixture
def provisioner(monkeypatch):
    """A function that makes the one setting."""

    def choose(name):
        monkeypatch.setenv(SETTING, name)
        KernelProvisionerFactory.clear_instance()

    yield choose
    KernelProvisionerFactory.clear_instance()


@pytest.fixture
def warm(provisioner):
    provisioner("warm")


@pytest.fixture
def sandboxed(provisioner):
    isolation = sandbox.probe()
    if isolation.tier == "none":
        pytest.skip(isolation.lines[0])
    provisioner("warm-sandboxed")


@pytest.fixture(params=["warm", "sandboxed"])
def either(request):
    """Each of the two provisioners."""
    request.getfixturevalue(request.param)
    return request.param
