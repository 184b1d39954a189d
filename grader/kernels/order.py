"""What a provisioner tells a process that was forked warm: which kernel to be."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass, field
from typing import Any

#: Channels as jupyter_client names their ports; in this order a kernel in the sandbox gets the sockets to listen on.
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


@dataclass(frozen=True)
class Order:
    """What a kernel is to be.

    Attributes
    ----------
    arguments : list of str
        Those of ipykernel.
    threads : int
        How many NumPy and PyTorch may use; the zygote had one.
    folder : str
        Working folder; in the sandbox it is the scratch folder.
    environment : dict
        All environment variables; in the sandbox they stay those of the zygote.
    connection : dict
        In the sandbox, what the connection file says.
    files : dict
        In the sandbox, the files to begin with, relative path to content in base64.
    """

    arguments: list[str]
    threads: int
    folder: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def send(self, sock: socket.socket, descriptors: list[int]) -> None:
        """Send the order with its descriptors and end the stream."""
        socket.send_fds(sock, [b"k"], descriptors)
        sock.sendall(json.dumps(asdict(self)).encode())
        sock.shutdown(socket.SHUT_WR)

    @classmethod
    def receive(cls, sock: socket.socket) -> tuple[Order, list[int]]:
        """Read what send() sent.

        Raises
        ------
        EOFError
            When whoever asked for the kernel has gone.
        """
        mark, descriptors, _, _ = socket.recv_fds(sock, 1, len(CHANNELS))
        if not mark:
            raise EOFError
        with sock.makefile("rb") as stream:
            return cls(**json.load(stream)), descriptors
