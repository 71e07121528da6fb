"""Landlock: a process gives up files and connections for good, for itself, its later threads and its children.

By the system calls that the kernel documents (``userspace-api/landlock``); no privilege is needed. A rule holds for the
folder or file that its path names when it is made, and for all that is below it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Collection, Iterable
from enum import IntFlag
from pathlib import Path
from typing import Final, NamedTuple

#: The first version that lets files be renamed from one folder to another, which a traffic log needs (Linux 5.19).
LEAST_ABI: Final = 2
#: The first version with connections (Linux 6.7), with other devices (6.10), and with signals (6.12).
NETWORK_ABI, DEVICE_ABI, SCOPE_ABI = 4, 5, 6

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_BIND_TCP, _CONNECT_TCP = 1, 2
_SCOPES = 3
_PR_SET_NO_NEW_PRIVS = 38


class Right(IntFlag):
    """What may be done to a file or folder; the numbers are the kernel's."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ: Final = Right.READ_FILE | Right.READ_DIR
EXECUTE: Final = READ | Right.EXECUTE
WRITE: Final = (
    READ | Right.WRITE_FILE | Right.TRUNCATE | Right.REMOVE_DIR | Right.REMOVE_FILE | Right.MAKE_DIR | Right.MAKE_REG
    | Right.MAKE_SOCK | Right.MAKE_SYM | Right.REFER
)  # fmt: skip
DEVICE: Final = READ | Right.WRITE_FILE | Right.IOCTL_DEV
_OF_FILES: Final = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
#: The first version that knows a right; the others are known from the first.
_SINCE: Final = {Right.REFER: 2, Right.TRUNCATE: 3, Right.IOCTL_DEV: DEVICE_ABI}


class Rule(NamedTuple):
    """What stays allowed below a path."""

    path: Path
    rights: Right


def abi_version() -> int:
    """The version of Landlock that this kernel has; 0 if it has none, or it is switched off."""
    try:
        return _syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict(rules: Iterable[Rule], ports: Collection[int], *, abi: int) -> None:
    """Give up all files but these, all other TCP connections and ports, and signals to other processes.

    Args:
        rules: A path that does not exist is left out.
        ports: TCP ports that may be connected to.
        abi: As of `abi_version`: what it does not know stays as it is.

    Raises:
        OSError: The kernel refuses.
    """
    known = Right(0)
    for right in Right:
        known |= right if abi >= _SINCE.get(right, 1) else Right(0)
    attributes = struct.pack("=QQQ", known, _BIND_TCP | _CONNECT_TCP, _SCOPES)
    size = 24 if abi >= SCOPE_ABI else 16 if abi >= NETWORK_ABI else 8
    ruleset = _syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    try:
        for rule in rules:
            _add_path(ruleset, rule, known)
        if abi >= NETWORK_ABI:
            for port in ports:
                _syscall(_ADD_RULE, ruleset, _NET_PORT, struct.pack("=QQ", _CONNECT_TCP, port), 0)
        give_up_privileges()
        _syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def give_up_privileges() -> None:
    """Gain no privileges from now on by running a program (``PR_SET_NO_NEW_PRIVS``)."""
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs cannot be set")


def _add_path(ruleset: int, rule: Rule, known: Right) -> None:
    try:
        descriptor = os.open(rule.path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EACCES}:  # what cannot be reached stays so
            return
        raise
    try:
        rights = rule.rights & known if rule.path.is_dir() else rule.rights & known & _OF_FILES
        _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        if rule.path.is_relative_to("/proc"):
            _HELD.append(descriptor)
        else:
            os.close(descriptor)


#: What keeps the kernel from making the files of a process anew, which would then be others than those of the rules.
_HELD: Final[list[int]] = []
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
