"""Reserves what a run will take before it begins: the inputs of all its requests, the outputs, and the answers.

Without it a few bytes for each call become gigabytes: the answers of a batch all exist before the first is counted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, NamedTuple, final

import numpy as np

from serving.models.named_tensors import TensorTypes
from serving.models.signatures import Signature, TensorSpec
from serving.status import NoRoom
from serving.transport.limits import ConnectionLimiter

Array = np.ndarray[Any, Any]

#: What a run counts for of which nothing is known: the largest answer to a message with short forms.
UNKNOWN_BYTES: Final = 4 << 20
#: The shares of all that may be held that the requests of one run take together, and that one large request counts for.
BATCH_SHARE, REQUEST_SHARE = 4, 2
#: Smaller answers are not held for a client that reads, and runs that take no more reserve nothing.
UNCOUNTED_BYTES: Final = 64 << 10
#: A number takes no more in any dialect, a double with its exponent and the comma among them.
WRITTEN_BYTES: Final = 26
#: A text's object, with the pointer to it.
OBJECT_BYTES: Final = 41 + 8
#: Runs are kept by key. A client can send ever new ones (shapes), so the number is bounded.
KEYS_KEPT: Final = 1024


class RunKey(NamedTuple):
    """What requests must have in common to share a run."""

    signature: str
    outputs: tuple[str, ...]
    """Names of the wanted outputs; empty for all."""
    types: TensorTypes | None
    """None where they are the signature's."""


class RowBytes(NamedTuple):
    """What a row of a run takes."""

    taken: float
    """Altogether, while it runs."""
    written: float
    """Its answer, which stays until the client has taken it."""
    is_bound: bool
    """Whether the signature bounds it, so that small runs need not be measured."""


@final
class RunMemory:
    """Counts what the runs of all versions take. Belongs to the event loop.

    One run may always take place: if there is no room for it, when no other runs.

    Args:
        limiter: Counts it, with all other bytes of the server.
    """

    def __init__(self, limiter: ConnectionLimiter) -> None:
        self.limiter = limiter
        self._runs = 0
        self._waiting: deque[Callable[[], object]] = deque()

    def reserve(self, size: int) -> int | None:
        """Count what a run will take. Returns what was counted; None, and nothing is, if others must end first."""
        limiter = self.limiter
        counted = min(size, limiter.max_held_bytes // REQUEST_SHARE)
        if not limiter.hold_bytes(counted):
            if self._runs:
                return None
            counted = max(0, limiter.free_bytes // 2)
            limiter.hold_bytes(counted)
        self._runs += 1
        return counted

    def release(self, counted: int) -> None:
        """A run is over."""
        self._runs -= 1
        self.limiter.release_bytes(counted)
        waiting, self._waiting = self._waiting, deque()
        for try_again in waiting:
            try_again()

    def wait(self, try_again: Callable[[], object]) -> None:
        """Have a function called when a run is over."""
        self._waiting.append(try_again)


@final
class RunBytes:
    """What the runs of one version take: what they must take at most, or else what the last ones took.

    Belongs to the event loop, `is_measured` and `measured` aside, which any thread may call. Not counted is what the
    graph itself needs between its inputs and outputs.

    Args:
        signatures: The version's, by name.
    """

    def __init__(self, signatures: Mapping[str, Signature], memory: RunMemory) -> None:
        self._signatures = signatures
        self._memory = memory
        self._row_bytes: dict[RunKey, RowBytes] = {}
        self.release, self.wait = memory.release, memory.wait

    def is_small(self, key: Hashable, rows: int) -> bool:
        """Whether a run takes no more than any request does, and need not reserve it."""
        row_bytes = self._expected(key)
        return row_bytes is not None and row_bytes.taken * rows <= UNCOUNTED_BYTES

    def is_measured(self, key: Hashable, rows: int) -> bool:
        """Whether what a run takes is to be measured; not of a small one of which the signature says it."""
        row_bytes = self._expected(key)
        return row_bytes is None or not row_bytes.is_bound or row_bytes.taken * rows > UNCOUNTED_BYTES

    def rows(self, key: Hashable) -> int:
        """How many rows of requests may run together now; a request of more, or any if that is 0, runs alone."""
        row_bytes, limiter = self._expected(key), self._memory.limiter
        if row_bytes is None:
            return 0
        return int(min(limiter.max_held_bytes // BATCH_SHARE, limiter.free_bytes) // max(1.0, row_bytes.taken))

    def reserve(self, key: Hashable, rows: int) -> int | None:
        """Reserve what a run will take.

        Returns:
            The bytes, for ``release``; None, and nothing is reserved, if other runs must end first.

        Raises:
            NoRoom: The answer could not be held.
        """
        row_bytes = self._expected(key)
        if row_bytes is None:
            return self._memory.reserve(UNKNOWN_BYTES)
        if max(UNCOUNTED_BYTES, self._memory.limiter.free_bytes) < row_bytes.written * rows:
            raise NoRoom
        return self._memory.reserve(math.ceil(row_bytes.taken * rows))

    def measured(self, key: Hashable, rows: int, *, taken: int, written: int) -> None:
        """Keep what a run has taken. One that took less than those before lowers what is expected by and by."""
        if not isinstance(key, RunKey) or not rows:
            return
        before, row_taken, row_written = self._row_bytes.get(key), taken / rows, written / rows
        if before is None:
            self._keep(key, RowBytes(row_taken, row_written, is_bound=False))
        elif not 7 / 8 * before.taken <= row_taken <= before.taken or row_written > before.written:  # seldom
            row_taken = max(row_taken, before.taken - (before.taken - row_taken) / 8)
            row_written = max(row_written, before.written - (before.written - row_written) / 8)
            self._keep(key, RowBytes(row_taken, row_written, before.is_bound))

    def _keep(self, key: RunKey, row_bytes: RowBytes) -> None:
        if len(self._row_bytes) >= KEYS_KEPT:
            self._row_bytes.clear()
        self._row_bytes[key] = row_bytes

    def _expected(self, key: Hashable) -> RowBytes | None:
        """What a row takes; None where nothing is known."""
        if not isinstance(key, RunKey):
            return None
        row_bytes = self._row_bytes.get(key)
        if row_bytes is None:
            row_bytes = self._most(key)
            if row_bytes is not None:
                self._keep(key, row_bytes)
        return row_bytes

    def _most(self, key: RunKey) -> RowBytes | None:
        """What a row takes at most, where the signature says so; None where an output is of open shape, or text."""
        signature = self._signatures[key.signature]
        types = signature.input_types if key.types is None else key.types
        outputs = [signature.outputs[name] for name in key.outputs or signature.outputs]
        if types is None or not all(map(_is_known, outputs)):
            return None
        inputs = sum(math.prod(shape) * _size(dtype) for _, dtype, shape in types)
        written = sum(_values(spec) * max(_size(spec.element.numpy), WRITTEN_BYTES) for spec in outputs)
        taken = inputs + sum(_values(spec) * _size(spec.element.numpy) for spec in outputs) + written
        return RowBytes(taken, written, is_bound=True)


def _is_known(spec: TensorSpec) -> bool:
    return spec.shape is not None and -1 not in spec.shape[1:] and spec.element.numpy not in {None, np.dtype(object)}


def _values(spec: TensorSpec) -> int:
    return math.prod((spec.shape or ())[1:])


def _size(dtype: np.dtype[Any] | None) -> int:
    """The bytes of a value; a text's object alone."""
    return OBJECT_BYTES if dtype is None or dtype == np.object_ else dtype.itemsize


def tensor_bytes(tensors: Mapping[str, Array]) -> int:
    """The bytes that tensors take beside the contents of their texts.

    >>> tensor_bytes({"x": np.zeros((2, 3)), "text": np.array([b"a"], object)})
    97
    """
    return sum([value.nbytes if value.dtype != np.object_ else OBJECT_BYTES * value.size for value in tensors.values()])
