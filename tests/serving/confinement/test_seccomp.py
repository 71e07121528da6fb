"""System calls that no prediction needs fail, in threads that were there before too."""

from __future__ import annotations

import errno
import platform
import struct
import subprocess
import sys

import pytest

from serving.confinement.seccomp import DENIED, MACHINES, filter_of, is_supported

SCRIPT = """
import ctypes, os, subprocess, sys, threading
from serving.confinement.confinement import Support, confine_calls

libc = ctypes.CDLL(None, use_errno=True)
begin, results = threading.Event(), []


def attempts():
    begin.wait()
    for number in map(int, sys.argv[1:]):
        ctypes.set_errno(0)
        libc.syscall(number, 0, 0, 0, 0, 0, 0)
        results.append(ctypes.get_errno())


thread = threading.Thread(target=attempts)
thread.start()
print(confine_calls(Support.of_this_machine()))
begin.set()
thread.join()
print(*results)
try:
    subprocess.run(["true"])
except PermissionError as error:
    print(error.strerror)
"""
#: Of the calls, those that are harmless where they are not denied.
HARMLESS = ("execve", "ptrace", "mount", "bpf", "finit_module", "io_uring_setup", "unshare", "setns", "keyctl")


@pytest.mark.skipif(not is_supported(), reason="this machine has no filter of system calls")
def test_they_fail_in_every_thread() -> None:
    column = MACHINES[platform.machine()].column
    numbers = [str(DENIED[name][column]) for name in HARMLESS]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *numbers], check=True, capture_output=True, text=True, timeout=60
    )
    said, codes, started = done.stdout.splitlines()
    assert "programs and system calls (seccomp)" in said
    assert codes.split() == [str(errno.EPERM)] * len(HARMLESS)
    assert started == "Operation not permitted"


def run(program: bytes, architecture: int, number: int) -> int:
    """What the kernel's interpreter of such a filter answers."""
    code = [struct.unpack_from("=HBBI", program, 8 * place) for place in range(len(program) // 8)]
    place = loaded = 0
    while True:
        operation, if_true, if_false, operand = code[place]
        place += 1
        if operation == 0x20:
            loaded = {0: number, 4: architecture}[operand]
        elif operation == 0x06:
            return int(operand)
        else:
            is_true = loaded == operand if operation == 0x15 else loaded >= operand
            place += if_true if is_true else if_false


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_denies_what_is_listed_and_nothing_else(name: str) -> None:
    machine = MACHINES[name]
    program = filter_of(machine)
    listed = {each[machine.column] for each in DENIED.values()}
    for number in range(500):
        assert run(program, machine.architecture, number) == (0x50001 if number in listed else 0x7FFF0000), number
    assert run(program, machine.architecture, 0x40000000 | 1) == 0x50001
    assert run(program, 0x40000003, 1) == 0x80000000
