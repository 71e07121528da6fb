"""What a process that runs graphs keeps, and the sentence that says what is in force."""

from __future__ import annotations

import os
import site
import socket
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from monitoring.errors import CannotRun
from serving.confinement import landlock, seccomp
from serving.confinement.landlock import DEVICE, EXECUTE, LEAST_ABI, NETWORK_ABI, READ, WRITE, Rule


class ConfineMode(StrEnum):
    """Whether a process that runs graphs is confined."""

    AUTO = "auto"
    """As far as the kernel can."""
    REQUIRED = "required"
    """It ends where the kernel cannot."""
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a process has to reach once it is confined, beside its own program."""

    read: tuple[Path, ...] = ()
    """Folders and files; those below are included."""
    write: tuple[Path, ...] = ()
    ports: tuple[int, ...] = ()
    """TCP ports that it connects to."""


#: What programs, libraries, time zones and certificates are read from.
_PROGRAMS: Final = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/nix/store")
_SYSTEM: Final = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/certs", "/etc/pki/tls", "/dev/urandom", "/dev/random", "/dev/zero",
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/sys/kernel", "/proc/sys/vm",
    "/sys/devices/system", "/sys/fs/cgroup",
)  # fmt: skip
_SCRATCH: Final = ("/dev/null", "/dev/full")
_OWN_PROCESS: Final = ("cmdline", "stat", "statm", "status", "schedstat", "task")
_RESOLVER: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/run/systemd/resolve")
_GPU_READ: Final = ("/proc/driver/nvidia", "/proc/devices", "/sys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What this machine's kernel can confine. `abi`: the version of Landlock, 0 for none."""

    abi: int
    has_seccomp: bool

    @classmethod
    def of_this_machine(cls) -> Support:
        """Ask the kernel; changes nothing."""
        abi = landlock.abi_version() if sys.platform == "linux" else 0
        return cls(abi=abi, has_seccomp=sys.platform == "linux" and seccomp.is_supported())

    @property
    def is_whole(self) -> bool:
        """Whether files and system calls can be confined."""
        return self.abi >= LEAST_ABI and self.has_seccomp

    def parts(self) -> tuple[str, ...]:
        """What can be confined, in words."""
        return (
            *((f"files (Landlock {self.abi})",) if self.abi >= LEAST_ABI else ()),
            *(("TCP connections",) if self.abi >= NETWORK_ABI else ()),
            *(("programs and system calls (seccomp)",) if self.has_seccomp else ()),
        )

    def missing(self) -> tuple[str, ...]:
        """What cannot, and since which kernel it can."""
        return (
            *(("files need Linux 5.19 with Landlock switched on (lsm=landlock)",) if self.abi < LEAST_ABI else ()),
            *(("TCP connections need Linux 6.7",) if LEAST_ABI <= self.abi < NETWORK_ABI else ()),
            *(("seccomp is there for x86-64 and 64-bit ARM",) if not self.has_seccomp else ()),
        )


def check_support(mode: ConfineMode, support: Support) -> None:
    """Refuse to go on where confinement is required and the kernel cannot."""
    if mode is ConfineMode.REQUIRED and not support.is_whole:
        raise CannotRun(
            "This machine cannot confine a process that runs graphs.",
            got="; ".join(support.missing()),
            expected="a kernel with Landlock and seccomp, for --confine required",
            fix="Use a newer kernel, or --confine auto, which confines what it can and says so.",
        )


def check_in_force(mode: ConfineMode, support: Support) -> None:
    """Refuse to go on where confinement is required, and a confined process can do what it has given up."""
    possible = still_possible(support)
    if mode is ConfineMode.REQUIRED and possible:
        raise CannotRun(
            "The confinement is not in force.",
            got="; ".join(possible),
            expected="all of it denied, for --confine required",
            fix="Name folders of models only, or --confine auto, which says what it leaves.",
        )


def has_gpu(folder: Path = Path("/dev")) -> bool:
    """Whether there is a GPU that graphs may run on, whose driver needs more than was tried."""
    return any(True for name in ("nvidia*", "kfd") for _ in folder.glob(name))


def confine_files(needs: Needs, support: Support) -> None:
    """Confine this thread, and those that it will make, to files and connections. Before any thread that runs graphs.

    Raises:
        OSError: The kernel refuses what it says it can.
    """
    if support.abi >= LEAST_ABI:
        landlock.restrict(_rules(needs), needs.ports, abi=support.abi)


def confine_calls(support: Support) -> str:
    """Confine all threads of this process to the system calls that a prediction needs; before any graph is loaded.

    Returns:
        A sentence that says what is in force, after `confine_files`.

    Raises:
        OSError: The kernel refuses what it says it can.
    """
    if support.has_seccomp:
        landlock.give_up_privileges()
        seccomp.deny()
    missing = "; ".join((*support.missing(), *still_possible(support)))
    if not support.parts():
        return f"Not confined: {missing}. Graphs may reach whatever this user may."
    return f"Confined to what it needs: {', '.join(support.parts())}{f'. Not: {missing}' if missing else ''}."


def still_possible(support: Support) -> tuple[str, ...]:
    """Try what a confined process has given up, harmlessly. Returns what it can do nevertheless, in words."""
    tries = (
        (support.abi >= LEAST_ABI, _list_all, "a flag names the folder /, so that all files can be read"),
        (support.abi >= NETWORK_ABI, _connect, "TCP connections are made"),
        (support.abi >= NETWORK_ABI, _listen, "ports are opened"),
        (support.has_seccomp, _run_program, "programs are started"),
    )
    return tuple(words for is_due, attempt, words in tries if is_due and not _is_denied(attempt))


def _is_denied(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:  # as the kernel says where nothing is denied: nobody listens, there is no such program
        return False
    return False


def _list_all() -> None:
    os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))


def _connect() -> None:
    socket.create_connection(("127.0.0.1", 1), timeout=1.0).close()


def _listen() -> None:
    socket.create_server(("127.0.0.1", 0)).close()


def _run_program() -> None:
    os.execve("", ["none"], {})  # noqa: S606, S607 - there is none without a name


def _rules(needs: Needs) -> Iterator[Rule]:
    yield from (Rule(path, EXECUTE) for path in _program_folders())
    yield from (Rule(Path(path), READ) for path in _SYSTEM)
    yield from (Rule(Path(path), WRITE) for path in _SCRATCH)
    yield from (Rule(Path("/proc/self", name).resolve(), READ) for name in _OWN_PROCESS)
    keras = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    yield Rule(Path(keras, "keras.json"), READ)  # read when TensorFlow is imported
    yield from (Rule(path, READ) for path in needs.read)
    yield from (Rule(path, WRITE) for path in needs.write)
    if needs.ports:
        yield from (Rule(Path(path), READ) for path in _RESOLVER)
    devices = (*Path("/dev").glob("nvidia*"), *Path("/dev").glob("dri"))
    if devices:
        yield from (Rule(Path(path), READ) for path in _GPU_READ)
        yield from (Rule(path, DEVICE) for path in devices)


def _program_folders() -> Iterator[Path]:
    """Where this program, its libraries and those of the system are; not what merely is on the path of imports."""
    yield from map(Path, _PROGRAMS)
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
    yield from (Path(place).resolve() for place in sorted(places))
    root = Path(__file__).parents[2]
    yield from (root / package for package in ("monitoring", "serving", "pitfalls_tf"))
    yield from (Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)


def with_links(folder: Path, depth: int) -> tuple[Path, ...]:
    """The folder, and those in which the models and versions lie that are linked from it.

    The next version is linked from where the last ones are, so that its folder's parent counts. What is linked from
    inside of a version does not: it may be somebody else's.

    Args:
        depth: How many levels below the folder its versions are: 2 for a folder of models, 1 for a model.
    """
    found = {folder: None}
    if folder.is_symlink():
        found[folder.resolve().parent] = None
    for level in range(1, depth + 1):
        for path in folder.glob("/".join("*" * level)):
            graphs = "/".join([*"*" * (depth - level), "saved_model.pb*"])
            if path.is_symlink() and any(True for _ in path.resolve().glob(graphs)):
                found[path.resolve().parent] = None
    return tuple(found)
