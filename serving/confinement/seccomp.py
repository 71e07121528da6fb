"""Seccomp: system calls that no prediction needs fail from now on, in every thread of the process.

A filter in the kernel's classic BPF, by its documented system call. What is not named stays allowed: TensorFlow, its
drivers and the C library use some two hundred calls, and others with each release.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import Final, NamedTuple

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_SET_MODE_FILTER, _IN_ALL_THREADS = 1, 1
#: Calls of the x32 convention begin here.
_X32: Final = 0x40000000


class Machine(NamedTuple):
    """What a kind of processor calls itself in a filter, its number of `seccomp`, and its column in `DENIED`."""

    architecture: int
    seccomp: int
    column: int


MACHINES: Final = {"x86_64": Machine(0xC000003E, 317, 0), "aarch64": Machine(0xC00000B7, 277, 1)}

#: Calls by name, with their numbers on x86-64 and on 64-bit ARM; -1: there is none.
DENIED: Final = {
    # other programs, and other processes
    "execve": (59, 221), "execveat": (322, 281), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    # file systems and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268), "open_by_handle_at": (304, 265),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "acct": (163, 89),
    # the kernel itself
    "bpf": (321, 280), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "iopl": (172, -1), "ioperm": (173, -1), "syslog": (103, 116),
    # keys, clocks and names of the machine
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161),
    "setdomainname": (171, 162),
}  # fmt: skip


def is_supported() -> bool:
    """Whether the filter is written for this machine, and its kernel takes filters."""
    machine = MACHINES.get(platform.machine())
    # Without a filter the kernel answers EFAULT if it takes filters, EINVAL or ENOSYS if it does not.
    return machine is not None and _install(machine.seccomp, None) == errno.EFAULT


def deny() -> None:
    """Have the calls of `DENIED` fail with EPERM in every thread.

    A call of another machine's convention ends the process. ``no_new_privs`` must be set.

    Raises:
        OSError: The kernel refuses.
    """
    machine = MACHINES[platform.machine()]
    program = filter_of(machine)
    buffer = ctypes.create_string_buffer(program, len(program))
    code = _install(machine.seccomp, struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    if code:
        raise OSError(code, os.strerror(code))


def filter_of(machine: Machine) -> bytes:
    """The filter as the kernel's instructions: 16 bits of code, two jumps of 8, and 32 bits of operand."""
    numbers = sorted(each[machine.column] for each in DENIED.values() if each[machine.column] >= 0)
    fail = len(numbers) + 1  # instructions from the first comparison to the one that fails
    instructions = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_IF_EQUAL, 1, 0, machine.architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_IF_AT_LEAST, fail, 0, _X32),
        *((_JUMP_IF_EQUAL, fail - place - 1, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def _install(number: int, program: bytes | None) -> int:
    """The error's number; 0 if there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    return ctypes.get_errno() if libc.syscall(number, _SET_MODE_FILTER, _IN_ALL_THREADS, program) else 0
