"""The system calls that a learner's process may not make.

A deny-list, not an allow-list: NumPy, torch and the C library may use any ordinary call, and what they use changes
with every release. It refuses what reaches out of the process (tracing, other processes' memory, sockets, new
namespaces, mounts), what widens the attack surface of the kernel (bpf, io_uring, userfaultfd, keyrings, perf), and
whatever is newer than this table. A call refused gives EPERM, one that the C library can do without ENOSYS.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from grader.engine import linux

# Numbers: (x86-64, aarch64); None where the machine has no such call.
_Numbers = tuple[int | None, int | None]

#: Refused always.
REFUSED: dict[str, _Numbers] = {
    # other processes: memory, descriptors, tracing, scheduling
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    # sockets: a learner has the one it was given and may make pairs
    "socket": (41, 198),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "connect": (42, 203),
    # memory that no limit of a process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # the kernel's own doors
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "personality": (135, 92),
    "vhangup": (153, 58),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}

#: Refused as well where there is no pid namespace and no mount of one's own: other processes of the same user are in
#: reach there, and Landlock does not guard a file's mode, owner or times.
REFUSED_IN_PLAIN_SIGHT: dict[str, _Numbers] = {
    "fork": (57, None),
    "vfork": (58, None),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}

#: Refused by their arguments.
CHECKED: dict[str, _Numbers] = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "socketpair": (53, 199),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "fcntl": (72, 25),
    "kill": (62, 129),
    "tgkill": (234, 131),
}

#: mseal, the last call of Linux 6.10: what came later is unknown here, so refused.
LAST_KNOWN = 462

_ARCHITECTURE = (0xC000003E, 0xC00000B7)  # AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64
_NEW_NAMESPACES = 0x7E020080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME
_CLONE_THREAD = 0x00010000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPES = 1, 1, 0xF
_SIGNALLING = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: have the kernel signal someone else

# Classic BPF, linux/bpf_common.h, and what a filter returns, linux/seccomp.h.
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER_EQUAL, _IF_ANY_BIT = 0x15, 0x35, 0x45
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS, _PRETENDED = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x00050000
_NUMBER, _ARCH = 0, 4


def _argument(index: int) -> int:
    """Return where the low half of an argument lies in struct seccomp_data (both machines are little-endian)."""
    return 16 + 8 * index


Step = tuple[int, int, int, int]  # code, steps to skip if true, steps to skip if false, operand


#: What becomes of these where a process accepts connections. Every thread of ZMQ asks for the scheduling that it has,
#: and aborts where that fails: it is told that it was done.
_FOR_ZMQ = {"accept4": _ALLOW, "sched_setscheduler": _PRETENDED}


def build(*, alone: bool, pid: int = 0, accepting: bool = False) -> bytes:
    """Return the filter as a BPF program.

    Parameters
    ----------
    alone : bool
        Whether the process is to have no children, and signals for nobody but itself.
    pid : int
        Its process id, where it is alone.
    accepting : bool
        Whether it may accept connections on sockets that it is given.
    """
    column = linux.COLUMN
    if column is None:
        raise OSError("seccomp: system call numbers are known for x86-64 and aarch64 only")
    program: list[Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, _ARCHITECTURE[column]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_GREATER_EQUAL, 0, 1, LAST_KNOWN + 1),  # the x32 calls, with their bit 30, are among these
        (_RETURN, 0, 0, _ENOSYS),
    ]

    def refuse(numbers: _Numbers, verdict: int = _EPERM) -> None:
        if numbers[column] is not None:
            program.extend([(_IF_EQUAL, 0, 1, numbers[column] or 0), (_RETURN, 0, 0, verdict)])

    def examine(name: str, *steps: Step) -> None:
        """Run steps for one call; they end in a verdict or fall off the end, which allows it."""
        body = [*steps, (_RETURN, 0, 0, _ALLOW)]
        program.extend([(_IF_EQUAL, 0, len(body), CHECKED[name][column] or 0), *body])

    for name, numbers in REFUSED.items():
        refuse(numbers, _FOR_ZMQ.get(name, _EPERM) if accepting else _EPERM)
    refuse(CHECKED["clone3"], _ENOSYS)  # its flags lie in memory; the C library falls back to clone
    refusal: Step = (_RETURN, 0, 0, _EPERM)
    flags: Step = (_LOAD, 0, 0, _argument(0))
    if alone:
        for numbers in REFUSED_IN_PLAIN_SIGHT.values():
            refuse(numbers)
        only_oneself = (flags, (_IF_EQUAL, 1, 0, pid), refusal)
        examine("kill", *only_oneself)
        examine("tgkill", *only_oneself)
        examine(
            "clone", flags, (_IF_ANY_BIT, 1, 0, _CLONE_THREAD), refusal, (_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), refusal
        )
    else:
        examine("clone", flags, (_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), refusal)
    # Stream pairs only: a datagram socket of a pair may be connected or sent anywhere.
    examine(
        "socketpair",
        flags,
        (_IF_EQUAL, 1, 0, _AF_UNIX),
        refusal,
        (_LOAD, 0, 0, _argument(1)),
        (_AND, 0, 0, _SOCK_TYPES),
        (_IF_EQUAL, 1, 0, _SOCK_STREAM),
        refusal,
    )
    examine("prlimit64", flags, (_IF_EQUAL, 1, 0, 0), refusal)  # other processes' limits
    examine("prctl", flags, (_IF_EQUAL, 0, 1, linux.PR_SET_PDEATHSIG), refusal)  # it dies with its zygote
    command: Step = (_LOAD, 0, 0, _argument(1))
    examine("fcntl", command, *(step for value in _SIGNALLING for step in ((_IF_EQUAL, 0, 1, value), refusal)))
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in program)


def install(*, alone: bool, accepting: bool = False) -> None:
    """Put the filter on this process and all it starts, for good. ``no_new_privs`` must be set already."""
    program = build(alone=alone, pid=os.getpid(), accepting=accepting)
    buffer = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))  # struct sock_fprog
    linux.syscall("seccomp", 1, 0, pointer)  # SECCOMP_SET_MODE_FILTER
