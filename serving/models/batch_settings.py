"""How requests of a model are joined into batches."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How large a batch may be, how many requests may wait, and which batches run in the event loop."""

    max_rows: int = 1024
    """The most rows of a batch. A single larger request runs alone, whole."""
    refuse_larger: bool = False
    """Refuse a request of more rows instead, as TensorFlow Serving does when its batching is on."""
    max_waiting: int = 4096
    """Further waiting requests are refused (UNAVAILABLE), so that a flood of them does not exhaust the memory."""
    quick_s: float = 0.002
    """The longest duration in seconds of batches that run in the event loop; 0: none runs there.

    A batch counts as quick if one of the last two of its key and about its size took no longer. Of two, because on a
    busy machine a batch is now and then interrupted for longer than it takes."""
    slow_s: float = 0.05
    """Batches that take longer leave a thread free for those of other models."""
    allowed_rows: tuple[int, ...] = ()
    """The numbers of rows of a run, ascending: a batch is filled up to the next of them. Empty: any number."""
    max_run_rows: int | None = None
    """A batch of more rows is run in parts of at most so many. None: in one run."""
    runs: int | None = None
    """How many slow runs may take place at a time, of all models; None for one per processor."""
