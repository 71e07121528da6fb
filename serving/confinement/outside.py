"""A process that stays outside of the confinement, and does for a confined one what was agreed on before.

It is forked before the process has threads, holds none of its sockets, and ends with it. It opens files of a fixed
list, and calls functions of a fixed list; what it is asked for, and what it answers, is JSON.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path, PosixPath
from typing import IO, Any, Final, NoReturn, final

from monitoring.errors import BadInput, CannotRun, PitfallsError
from serving.confinement.parent_death import end_with_parent

#: Does something for the confined process; the second argument takes sentences for its operator.
Task = Callable[[Any, Callable[[str], None]], Any]

_HEAD: Final = 8
_PATH_BYTES: Final = 1 << 16


@final
class Outside:
    """The confined process's end. Thread-safe.

    Args:
        files: Those that may be opened for reading.
        tasks: Those that may be asked for, by name. Calls of one wait for each other, not for those of others.
    """

    def __init__(self, files: Collection[Path], tasks: Mapping[str, Task]) -> None:
        opening = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        calling = {name: socket.socketpair() for name in tasks}
        far = [opening[1], *(pair[1] for pair in calling.values())]
        theirs = {name: (pair[1], tasks[name]) for name, pair in calling.items()}
        self._pid = fork_beside(far, partial(_run, opening[1], frozenset(map(str, files)), theirs))
        self._opening = opening[0]
        self._calling = {name: pair[0] for name, pair in calling.items()}
        self._locks = {name: threading.Lock() for name in calling}
        self._open_lock = threading.Lock()

    def open(self, file: Path) -> int:
        """Open a file of the list for reading. Returns its descriptor; OSError as `os.open` has it."""
        with self._open_lock:
            self._opening.sendall(str(file).encode())
            answer, descriptors, _, _ = socket.recv_fds(self._opening, _PATH_BYTES, 1)
        if descriptors:
            return descriptors[0]
        code = int(answer or b"5")
        raise OSError(code, os.strerror(code), str(file))

    def call(self, name: str, document: Any, report: Callable[[str], None]) -> Any:
        """Have a task done. Returns its result; raises PitfallsError or OSError as the task does."""
        with self._locks[name]:
            send_document(self._calling[name], document)
            reply = receive_document(self._calling[name])
        if reply is None:
            raise CannotRun(
                "The process beside the server has ended.",
                got="no answer",
                expected="one that lives as long as the server",
                fix="Start the server again.",
            )
        for line in reply["said"]:
            report(line)
        if "failed" in reply:
            raise _error(reply["failed"])
        return reply["result"]

    def close(self) -> None:
        """End the process, and wait until it has ended."""
        for end in (self._opening, *self._calling.values()):
            end.close()
        os.waitpid(self._pid, 0)


class OutsideFile(PosixPath):
    """The path of a file that is opened by `Outside`. To be made by `file_at`."""

    outside: Outside | None = None

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:  # type: ignore[override]
        """As `Path.open`, for reading."""
        if self.outside is None or not set(mode) <= set("rbt"):
            return super().open(mode, *arguments, **options)
        return os.fdopen(self.outside.open(self), mode, *arguments, **options)


def file_at(path: Path, outside: Outside) -> OutsideFile:
    """The same path, opened by another process."""
    file = OutsideFile(path)
    file.outside = outside
    return file


def fork_beside(ends: Collection[socket.socket], work: Callable[[], None]) -> int:
    """Do some work in a process beside this one, which must have no threads; it ends with this one.

    Args:
        ends: The sockets that it keeps, and that this process does not.

    Returns:
        Its process id.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _live(parent, {end.fileno() for end in ends}, work)
    for end in ends:
        end.close()
    return pid


def _live(parent: int, descriptors: set[int], work: Callable[[], None]) -> NoReturn:
    """The process's whole life."""
    try:
        # Its own end comes with that of the process that asks, whatever that dies of.
        end_with_parent()
        if os.getppid() != parent:
            os._exit(0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
        _keep_only(descriptors)
        work()
    except BaseException:  # noqa: BLE001 - it never returns into the code that forked; the traceback is shown
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _run(opening: socket.socket, files: frozenset[str], calling: Mapping[str, tuple[socket.socket, Task]]) -> None:
    threads = [threading.Thread(target=_open_files, args=(opening, files))]
    threads += [threading.Thread(target=_do_tasks, args=each) for each in calling.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep_only(wanted: set[int]) -> None:
    """Close every descriptor but these, and say nothing on the standard output, whose reader waits for its end."""
    os.dup2(os.open(os.devnull, os.O_RDWR), sys.stdout.fileno())
    for descriptor in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if descriptor > 2 and descriptor not in wanted:
            try:
                os.close(descriptor)
            except OSError:  # the listing's own
                continue


def _open_files(end: socket.socket, files: frozenset[str]) -> None:
    while path := end.recv(_PATH_BYTES).decode():
        try:
            if path not in files:
                raise PermissionError(1, "not one of the files")
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            end.sendall(str(error.errno).encode())
        else:
            socket.send_fds(end, [b"0"], [descriptor])
            os.close(descriptor)


def _do_tasks(end: socket.socket, task: Task) -> None:
    while (document := receive_document(end)) is not None:
        said: list[str] = []
        try:
            reply: dict[str, Any] = {"result": task(document, said.append)}
        except PitfallsError as error:
            parts = {"what": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
            reply = {"failed": {**parts, "exit_code": error.exit_code}}
        except OSError as error:
            reply = {"failed": {"errno": error.errno or 5, "text": str(error.strerror or error)}}
        send_document(end, {**reply, "said": said})


def _error(parts: dict[str, Any]) -> Exception:
    if "errno" in parts:
        return OSError(parts["errno"], parts["text"])
    kind = BadInput if parts.pop("exit_code") == BadInput.exit_code else CannotRun
    return kind(**parts)


def send_document(end: socket.socket, document: Any) -> None:
    """Send what can be written as JSON to the other process."""
    payload = json.dumps(document, default=str).encode()
    end.sendall(len(payload).to_bytes(_HEAD, "little") + payload)


def receive_document(end: socket.socket) -> Any:
    """The other process's next document; None at the end."""
    head = _exactly(end, _HEAD)
    payload = None if head is None else _exactly(end, int.from_bytes(head, "little"))
    return None if payload is None else json.loads(payload)


def _exactly(end: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        part = end.recv(min(count - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
