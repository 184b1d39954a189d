"""Thin typed wrappers of the Linux system calls that Python 3.11 does not offer; each raises OSError."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x2, 0x4, 0x8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39

#: Numbers of the calls made here: (x86-64, aarch64). Source: asm/unistd_64.h and asm-generic/unistd.h.
_NUMBERS = {
    "pivot_root": (155, 41),
    "capset": (126, 91),
    "seccomp": (317, 277),
    "close_range": (436, 436),
    "mount_setattr": (442, 442),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
#: Column of the tables of system call numbers that holds for this machine; None elsewhere.
COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())

_libc = ctypes.CDLL(None, use_errno=True)
Argument = int | bytes | None


def _call(name: str, *arguments: Argument, number: int | None = None) -> int:
    converted = [ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    result: int = getattr(_libc, name)(*converted) if number is None else _libc.syscall(number, *converted)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def syscall(name: str, *arguments: Argument) -> int:
    """Make one of the calls that the C library does not wrap."""
    if COLUMN is None:
        raise OSError(f"{name}: system call numbers are known for x86-64 and aarch64 only")
    return _call(name, *arguments, number=_NUMBERS[name][COLUMN])


def unshare(flags: int) -> None:
    """Leave the namespaces named by CLONE_NEW* flags for new ones (unshare(2))."""
    _call("unshare", flags)


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that an open descriptor of /proc/PID/ns stands for (setns(2))."""
    _call("setns", descriptor, kind)


def prctl(option: int, value: int = 0) -> int:
    """Change or read a property of this process (prctl(2))."""
    return _call("prctl", option, value, 0, 0, 0)


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Mount (mount(2))."""
    _call(
        "mount",
        source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        flags,
        None if options is None else options.encode(),
    )


def unmount(target: str) -> None:
    """Take a mount and all below it out of sight at once (umount2(2) with MNT_DETACH)."""
    _call("umount2", target.encode(), MNT_DETACH)


def make_read_only(path: str, *, recursive: bool, devices: bool = False) -> None:
    """Make a mount, or all mounts below it, read-only and nosuid, and nodev unless devices are meant.

    Needs Linux 5.12 (mount_setattr(2)).
    """
    attributes = 0x1 | 0x2 | (0 if devices else 0x4)  # MOUNT_ATTR_RDONLY, _NOSUID, _NODEV
    at_fdcwd, at_recursive = -100, 0x8000
    record = struct.pack("QQQQ", attributes, 0, 0, 0)
    syscall("mount_setattr", at_fdcwd, path.encode(), at_recursive if recursive else 0, record, len(record))


def pivot_root(new_root: str, put_old: str) -> None:
    """Make new_root the root of this mount namespace and lay the old one at put_old (pivot_root(2))."""
    syscall("pivot_root", new_root.encode(), put_old.encode())


def drop_bounding_set() -> None:
    """Give up all ways to gain a capability by starting a program."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the kernel's last one, or this process has no right to drop any, so none to gain
            break


def drop_capabilities() -> None:
    """Give up all capabilities (capset(2))."""
    syscall("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))


def gather_memory() -> None:
    """Move this process's own memory into huge pages, where the kernel can (madvise(2), MADV_COLLAPSE, Linux 6.1).

    A fork then copies one entry where it copied 512.
    """
    with open("/proc/self/maps") as file:
        for line in file.read().splitlines():
            bounds, rights, _, _, _, *name = line.split(maxsplit=5)
            if rights == "rw-p" and name in ([], ["[heap]"]):
                begin, end = (int(bound, 16) for bound in bounds.split("-"))
                # What cannot be gathered, and all of it under an older kernel, stays as it is.
                _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), 25)


def close_from(first: int) -> None:
    """Close every descriptor from `first` on (close_range(2), Linux 5.9)."""
    syscall("close_range", first, 0xFFFFFFFF, 0)


# --- Landlock, landlock(7) ------------------------------------------------------------------------------------

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
#: How many file system rights each version of the interface knows, from version 1 on.
_RIGHTS_BY_VERSION = (13, 14, 15, 15, 16)


def landlock_version() -> int:
    """Return the version of the Landlock interface, 0 where there is none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, 1)  # LANDLOCK_CREATE_RULESET_VERSION
    except OSError:
        return 0


def landlock(version: int, readable: tuple[str, ...], writable: tuple[str, ...]) -> None:
    """Refuse this process and all it starts every file but those below the given paths.

    From version 4 on TCP is refused too, from version 6 on signals to processes outside and abstract Unix
    sockets. ``no_new_privs`` must be set already.

    Parameters
    ----------
    version : int
        What landlock_version() said, at least 1.
    readable, writable : tuple of str
        Files or folders to be read and executed; and to be written as well.
    """
    everything = (1 << _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION)) - 1]) - 1
    attributes = struct.pack("Q", everything)
    if version >= 4:
        attributes += struct.pack("Q", 0b11)  # bind and connect, TCP
    if version >= 6:
        attributes += struct.pack("Q", 0b11)  # abstract Unix sockets, signals
    ruleset = syscall("landlock_create_ruleset", attributes, len(attributes), 0)
    reading = _EXECUTE | _READ_FILE | _READ_DIR
    for rights, paths in ((reading, readable), (everything, writable)):
        for path in paths:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = rights if os.path.isdir(path) else rights & _FILE_RIGHTS & everything
            syscall("landlock_add_rule", ruleset, 1, struct.pack("=Qi", allowed, descriptor), 0)
            os.close(descriptor)
    syscall("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
