"""Reads large JSON bodies in a process beside the server, so that nobody waits for a parser.

A parser of JSON holds Python's interpreter until it has read all (.1 to .4 s for 31 MiB), and what makes an array of a
list of numbers holds it again: in a thread they would keep the event loop waiting as they do in the loop itself. The
process sends tensors, which are copied without the interpreter. It reads one body at a time, in the order of asking.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import signal
import socket
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, final

import numpy as np

from serving.confinement.outside import fork_beside, receive_document, send_document
from serving.models.signatures import element_type_of, numpy_type
from serving.status import Code, Failure
from serving.transport.freed_memory import trimmer

_logger = logging.getLogger(__name__)

Array = np.ndarray[Any, Any]
Tensors = Mapping[str, Array]
#: Asks the server something, once; None: the tensors are not wanted.
Ask = Callable[[Any], Any]
#: Reads a body, given its bytes, what the server says of it, and what asks: what else it says of it, and its tensors.
#: All but the tensors is JSON.
Reader = Callable[[bytes, Any, Ask], tuple[Any, Tensors]]

#: JSON beyond it is read by the process: what is shorter takes some 12 ms at most, and as much to be sent there.
LARGE_BYTES: Final = 1 << 20
#: Seconds between two starts of the process: bodies that come meanwhile are answered with 503.
RESTART_S: Final = 1.0
GONE: Final = "The process that reads large bodies has ended."


@final
class BodyProcess:
    """The server's end. Belongs to its event loop; made before it, in a process without threads.

    What is forked here only forks: the process that reads, when the first large body comes, and another after one has
    ended.

    Args:
        readers: What reads a body, by name.
        prepare: Called in a process that reads when it begins.
    """

    def __init__(self, readers: Mapping[str, Reader], prepare: Callable[[], None] = lambda: None) -> None:
        self._control, theirs = socket.socketpair()
        self._pid = fork_beside((theirs,), partial(_fork_readers, theirs, readers, prepare))
        self._end: socket.socket | None = None
        self._begun_s = -RESTART_S
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_gone = False
        self.ended = 0
        """How many processes that read have ended before the server."""

    def takes(self, size: int) -> bool:
        """Whether JSON of so many bytes is read by the process."""
        return size > LARGE_BYTES and not self._is_gone

    def start(self, work: Awaitable[None], done: Callable[[BaseException], None]) -> None:
        """Do what reads a body, in a task; ``done`` is called if it fails."""

        async def run() -> None:
            try:
                await work
            except (Failure, ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
                done(error)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)  # the loop holds tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def read(
        self, reader: str, body: bytes, facts: Any, answer: Callable[[Any], Any]
    ) -> tuple[Any, dict[str, Array]]:
        """Read a body, when those before it are read.

        Args:
            facts: What the reader is told.
            answer: Answers what it asks; called once, in the event loop.

        Returns:
            What the reader says of it, and the tensors by name.

        Raises:
            Failure: Of the reader; UNAVAILABLE if the process is gone, as after the system has ended it for its memory,
                and for `RESTART_S` after it began.
        """
        async with self._turn:
            try:
                end, question = await asyncio.to_thread(self._begin, reader, body, facts)
                try:
                    answered = answer(question)
                except BaseException:
                    await asyncio.to_thread(send_document, end, None)
                    raise
                return await asyncio.to_thread(_tensors, end, answered)
            except OSError as error:
                self._note_end()
                raise Failure(Code.UNAVAILABLE, GONE) from error

    def close(self) -> None:
        """End the processes, and wait until they have ended."""
        if self._end is not None:
            self._end.close()
        self._control.close()
        os.waitpid(self._pid, 0)

    def _begin(self, reader: str, body: bytes, facts: Any) -> tuple[socket.socket, Any]:
        """Send a body. Returns where it was sent, and what the reader asks."""
        if self._end is None:
            self._end = self._begun()
        send_document(self._end, {"reader": reader, "facts": facts, "size": len(body)})
        self._end.sendall(body)
        return self._end, _reply(self._end)["question"]

    def _begun(self) -> socket.socket:
        """Have a process begin. Returns the socket to it."""
        now = time.monotonic()
        if now - self._begun_s < RESTART_S:
            raise Failure(Code.UNAVAILABLE, GONE)
        self._begun_s = now
        self._control.sendall(b"1")
        _, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if not descriptors:
            raise ConnectionResetError(GONE)
        return socket.socket(fileno=descriptors[0])

    def _note_end(self) -> None:
        """A process has ended: that which reads, or what would fork another."""
        if self._end is None:
            self._is_gone = True
            _logger.warning("%s From now on the event loop reads them, and keeps health waiting.", GONE)
        else:
            self.ended += 1
            self._end.close()
            self._end = None
            _logger.warning("%s The next large body begins another.", GONE)


def _tensors(end: socket.socket, answered: Any) -> tuple[Any, dict[str, Array]]:
    """Answer the reader. Returns what it says of the body, and its tensors."""
    send_document(end, {"answer": answered})
    reply = _reply(end)
    return reply["said"], {each["name"]: _receive_array(end, each) for each in reply["tensors"]}


def _reply(end: socket.socket) -> Any:
    reply = receive_document(end)
    if reply is None:
        raise ConnectionResetError(GONE)
    if "failed" in reply:
        code, message = reply["failed"]
        raise Failure(Code(code), message)
    return reply


def _fork_readers(control: socket.socket, readers: Mapping[str, Reader], prepare: Callable[[], None]) -> None:
    """Fork a process that reads whenever the server asks for one, until the server closes its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    gc.freeze()
    while control.recv(1):
        ours, theirs = socket.socketpair()
        fork_beside((ours,), partial(_serve, ours, readers, prepare))
        socket.send_fds(control, [b"1"], [theirs.fileno()])
        theirs.close()


def _serve(end: socket.socket, readers: Mapping[str, Reader], prepare: Callable[[], None]) -> None:
    """The work of a process that reads, until the server closes its end."""
    prepare()
    gc.disable()  # it would visit the millions of lists of a body again and again
    give_back = trimmer()
    while (request := receive_document(end)) is not None:
        body = bytes(_receive_bytes(end, request["size"]))
        try:
            _read(end, readers[request["reader"]], body, request["facts"])
        except Failure as failure:
            if failure.code is not Code.CANCELLED:
                send_document(end, {"failed": (int(failure.code), failure.message)})
        except OSError:
            raise
        except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
            traceback.print_exc()
            send_document(end, {"failed": (int(Code.INTERNAL), f"Internal error: {type(error).__name__}")})
        del body
        gc.collect()
        give_back()


def _read(end: socket.socket, reader: Reader, body: bytes, facts: Any) -> None:
    def ask(question: Any) -> Any:
        send_document(end, {"question": question})
        reply = receive_document(end)
        if reply is None:
            raise Failure(Code.CANCELLED, "The server does not want the tensors.")
        return reply["answer"]

    said, tensors = reader(body, facts, ask)
    described = [
        {"name": name, "element": element_type_of(value).name, "shape": value.shape} for name, value in tensors.items()
    ]
    send_document(end, {"said": said, "tensors": described})
    for value in tensors.values():
        if value.dtype.hasobject:
            texts = value.reshape(-1).tolist()
            _send_array(end, np.array([len(text) for text in texts], np.int64))
            end.sendall(b"".join(texts))
        else:
            _send_array(end, value)


def _send_array(end: socket.socket, value: Array) -> None:
    end.sendall(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)


def _receive_array(end: socket.socket, described: Any) -> Array:
    """A tensor; texts are bytes, as objects."""
    shape = described["shape"]
    dtype, count = numpy_type(described["element"]), math.prod(shape)
    if not dtype.hasobject:
        return np.frombuffer(_receive_bytes(end, count * dtype.itemsize), dtype).reshape(shape)
    sizes = np.frombuffer(_receive_bytes(end, count * np.dtype(np.int64).itemsize), np.int64)
    texts = np.empty(count, object)
    content, begin = memoryview(_receive_bytes(end, int(sizes.sum()))), 0
    for place, size in enumerate(sizes):
        texts[place] = bytes(content[begin : begin + size])
        begin += size
    return texts.reshape(shape)


def _receive_bytes(end: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        count = end.recv_into(view)
        if not count:
            raise ConnectionResetError(GONE)
        view = view[count:]
    return content
