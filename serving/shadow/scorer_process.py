"""A scorer in a process of its own: a candidate that dies, hangs or takes too much memory harms nobody else."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn, final

import numpy as np
import pyarrow as pa
from typing_extensions import override

from monitoring.errors import BadInput, CannotRun, PitfallsError
from monitoring.rollout.scoring import CandidateAnswers, Scorer
from monitoring.traffic.format.rows import INPUT
from serving.shadow.bundle_scorer import BATCH, unanswered
from serving.shadow.frames import ALONE_KEY, EMPTY_KEY, ERROR_KEY, LENGTH, LONGEST, framed, scored_rows, unframed
from serving.shadow.priority import set_priority

Array = np.ndarray[Any, Any]

#: Rows that are sent at once. Those on which the process dies are sent again in smaller parts, of one batch each.
ROWS = 8 * BATCH

#: How often in a row the process may die before the candidate is given up.
MOST_DEATHS = 5

#: Seconds between two looks at the memory of the process.
_LOOK_S = 0.25
#: Bytes of what the process wrote to its standard error that a message quotes.
_LAST_BYTES = 300
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLimits:
    """What a scoring process may take.

    Attributes:
        load_s: Seconds until its model is loaded.
        answer_s: Seconds for the rows that are sent at once, without those in which it waits for a processor.
        memory_bytes: Resident memory; 0 for no limit.
    """

    load_s: float = 300.0
    answer_s: float = 120.0
    memory_bytes: int = 8 << 30


@dataclass(slots=True)
class _Deadline:
    """When a process has to have answered: time in which it was ready and got no processor is not its own.

    It has the lowest priority: on a busy machine it may wait for minutes, and would count as a candidate that hangs.
    """

    clock: Callable[[], float]
    process: int
    limit_s: float
    until: float = 0.0
    waits: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.until, self.waits = self.clock() + self.limit_s, _waits_s(self.process)

    def has_passed(self) -> bool:
        """Whether the process took more than its time."""
        late = self.clock() - self.until
        if late <= 0.0:
            return False
        waits = _waits_s(self.process)
        return late > max((wait - self.waits.get(thread, 0.0) for thread, wait in waits.items()), default=0.0)


def _waits_s(process: int) -> dict[str, float]:
    """How long each thread of a process has waited for a processor, in seconds; empty where Linux does not say."""
    waits = {}
    for file in Path(f"/proc/{process}/task").glob("*/schedstat"):
        with suppress(OSError, ValueError, IndexError):
            waits[file.parent.name] = int(file.read_text("ascii").split()[1]) / 1e9
    return waits


class _ProcessGone(Exception):
    """The process died, hung, or took too much memory; the message says which."""


@final
class ScorerProcess(Scorer):
    """A `monitoring.rollout.scoring.Scorer` whose model runs in a child process.

    The process is started at the first call, and again when it is gone. Not thread-safe.

    Args:
        command: The program, in place of this package's own child; it gets the bundle and the operations.
        clock: Seconds.
    """

    def __init__(
        self,
        bundle: Path,
        *,
        limits: ProcessLimits | None = None,
        allowed_operations: tuple[str, ...] = (),
        command: tuple[str, ...] = (sys.executable, "-m", "serving.shadow.scorer_child"),
        idle: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bundle = bundle
        self._limits = limits or ProcessLimits()
        self._command = (*command, str(bundle), *allowed_operations)
        self._is_idle = idle
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._memory = 0
        self._errors = TemporaryFile()  # noqa: SIM115 - for the life of the scorer
        self._empty: Mapping[str, Mapping[str, tuple[str, Sequence[int]]]] = {}

    @property
    def memory_bytes(self) -> int:
        """See `Scorer`: the most that the process was seen to take."""
        return self._memory

    @override
    def check(self, rows: pa.Table) -> None:
        try:
            self._ask(_sendable(rows), {})
        except _ProcessGone as gone:
            self._give_up(str(gone))

    @override
    def score(self, rows: pa.Table, *, alone: bool = False) -> CandidateAnswers:
        sent = _sendable(rows)
        parts = [self._score(sent.slice(first, ROWS), alone=alone) for first in range(0, rows.num_rows, ROWS)]
        signature = rows["signature"][0].as_py() if rows.num_rows else ""
        empty = {
            name: np.empty((0, *shape), dtype=np.dtype(kind))
            for name, (kind, shape) in self._empty.get(signature, {}).items()
        }
        return _joined([part for several in parts for part in several], empty, alone=alone)

    @override
    def close(self) -> None:
        self._errors.close()
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        try:
            process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _score(self, rows: pa.Table, *, alone: bool) -> list[CandidateAnswers]:
        try:
            tables = [self._scored(rows, alone=alone)]
        except _ProcessGone as gone:
            if rows.num_rows <= BATCH:
                return [self._unanswered(rows, str(gone))]
            tables = []
            for first in range(0, rows.num_rows, BATCH):
                tables += self._score(rows.slice(first, BATCH), alone=alone)
            return tables
        self._deaths = 0
        return tables

    def _scored(self, rows: pa.Table, *, alone: bool) -> CandidateAnswers:
        return scored_rows(*self._ask(rows, {ALONE_KEY: b"1" if alone else b"0"}))

    def _unanswered(self, rows: pa.Table, reason: str) -> CandidateAnswers:
        self._deaths += 1
        if self._deaths >= MOST_DEATHS:
            self._give_up(reason)
        return CandidateAnswers(outputs={}, answered=np.zeros(rows.num_rows, dtype=np.bool_), reasons=(reason,))

    def _give_up(self, reason: str) -> NoReturn:
        self.close()
        raise CannotRun(
            "The candidate dies again and again.",
            got=f"{self._bundle}: {reason}",
            expected="answers to logged rows",
            fix="Run it by itself: `pitfalls serve`, and `pitfalls replay` to send it rows; then export it again.",
        )

    def _ask(self, rows: pa.Table, metadata: Mapping[bytes, bytes]) -> tuple[pa.Table, Mapping[bytes, bytes]]:
        """Send a frame and wait for the answer; BadInput or CannotRun as the child has them."""
        process = self._process or self._start()
        try:
            self._write(process, framed(rows, metadata), self._limits.answer_s)
            return self._reply(process, self._limits.answer_s)
        except _ProcessGone:
            self._end()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError as error:
            raise CannotRun(
                "The candidate's process cannot be started.",
                got=f"{self._command[0]}: {error.strerror}",
                expected="a program of this installation",
                fix="Install it again.",
            ) from error
        self._process = process
        try:
            _, metadata = self._reply(process, self._limits.load_s)
        except _ProcessGone as gone:
            self._end()
            self._deaths += 1
            if self._deaths >= MOST_DEATHS:
                self._give_up(str(gone))
            raise
        except PitfallsError:
            self._end()
            raise
        self._empty = json.loads(metadata.get(EMPTY_KEY, b"{}"))
        if self._is_idle:
            set_priority(process.pid, idle=True)
        return process

    def _end(self) -> None:
        """Kill the process and what it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _write(self, process: subprocess.Popen[bytes], frame: bytes, limit_s: float) -> None:
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        descriptor, view = process.stdin.fileno(), memoryview(frame)
        deadline = _Deadline(self._clock, process.pid, limit_s)
        os.set_blocking(descriptor, False)
        while view:
            _, writable, _ = select.select([], [descriptor], [], _LOOK_S)
            self._look(process, deadline)
            if writable:
                try:
                    view = view[os.write(descriptor, view) :]
                except BrokenPipeError:
                    raise _ProcessGone(self._ended(process)) from None
                except BlockingIOError:
                    continue

    def _reply(self, process: subprocess.Popen[bytes], limit_s: float) -> tuple[pa.Table, Mapping[bytes, bytes]]:
        deadline = _Deadline(self._clock, process.pid, limit_s)
        length = int.from_bytes(self._read(process, LENGTH, deadline), "little")
        if length > LONGEST:
            raise _ProcessGone("it answered something else than rows")
        try:
            table, metadata = unframed(self._read(process, length, deadline))
        except pa.ArrowException:
            raise _ProcessGone("it answered something else than rows") from None
        if ERROR_KEY in metadata:
            _raise(json.loads(metadata[ERROR_KEY]))
        return table, metadata

    def _read(self, process: subprocess.Popen[bytes], count: int, deadline: _Deadline) -> bytes:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        descriptor, parts = process.stdout.fileno(), bytearray()
        while len(parts) < count:
            readable, _, _ = select.select([descriptor], [], [], _LOOK_S)
            self._look(process, deadline)
            if readable:
                part = os.read(descriptor, min(count - len(parts), 1 << 20))
                if not part:
                    raise _ProcessGone(self._ended(process))
                parts += part
        return bytes(parts)

    def _ended(self, process: subprocess.Popen[bytes]) -> str:
        """How the process ended, with the last line that it wrote."""
        code = process.wait()
        self._errors.seek(max(self._errors.seek(0, os.SEEK_END) - _LAST_BYTES, 0))
        written = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"it ended with {how}" + (f": {written[-1][:_LAST_BYTES]}" if written else "")

    def _look(self, process: subprocess.Popen[bytes], deadline: _Deadline) -> None:
        """Raise `_ProcessGone` for a process that hangs or takes too much memory."""
        with suppress(OSError, ValueError, IndexError):
            pages = int(Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1])
            self._memory = max(self._memory, pages * _PAGE)
            if 0 < self._limits.memory_bytes < pages * _PAGE:
                raise _ProcessGone(f"it took {pages * _PAGE / 2**30:.1f} GiB of memory and was ended")
        if deadline.has_passed():
            raise _ProcessGone("it did not answer in time and was ended")


def _sendable(rows: pa.Table) -> pa.Table:
    """The columns that a model reads."""
    names = [name for name in rows.column_names if name.startswith(INPUT)]
    return rows.select(["signature", *names]).replace_schema_metadata(None)


def _joined(parts: list[CandidateAnswers], empty: Mapping[str, Array], *, alone: bool) -> CandidateAnswers:
    """The parts one after the other; those that were not answered at all have outputs of the sizes of the others."""
    like = {**empty, **next((part.outputs for part in parts if part.outputs), {})}
    outputs = {
        name: np.concatenate([part.outputs.get(name, unanswered(tensor, part.answered.size)) for part in parts])
        for name, tensor in like.items()
        if parts
    }
    times = [np.zeros(part.answered.size, np.int64) if part.run_us is None else part.run_us for part in parts]
    return CandidateAnswers(
        outputs=outputs,
        answered=np.concatenate([np.zeros(0, np.bool_), *(part.answered for part in parts)]),
        run_us=np.concatenate([np.zeros(0, np.int64), *times]) if alone else None,
        reasons=tuple(dict.fromkeys(reason for part in parts for reason in part.reasons)),
    )


def _raise(document: Mapping[str, str | int]) -> NoReturn:
    """An error as the child has it."""
    kind = BadInput if document["exit_code"] == BadInput.exit_code else CannotRun
    raise kind(*[str(document["what"])], **{name: str(document[name]) for name in ("got", "expected", "fix")})
