"""What an executor of Spark runs: rows of numbers in, partials out; what a task cannot do comes back as data."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import PitfallsError
from monitoring.jobs.engines.codec import encoded
from monitoring.jobs.engines.frame_task import gathered_of_frame
from monitoring.jobs.engines.partial import Partial
from monitoring.jobs.engines.recipe import Recipe, unpacked
from monitoring.jobs.engines.spark_jobs import TASK_ERROR
from monitoring.jobs.engines.task import gathered
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.repeats import identified_rows, with_keys

_SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64()),
        pa.field("start", pa.int64()),
        pa.field("data", pa.binary()),
        pa.field("error", pa.string()),
    ]
)


def run_works(batches: Iterator[pa.RecordBatch], packed: bytes, pickles: Sequence[bytes]) -> Iterator[pa.RecordBatch]:
    """Run the tasks of some numbers."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from _sent(packed, number, lambda plan, number=number: gathered(plan, pickle.loads(pickles[number])))  # noqa: S301 - the driver's own, of the same job


def run_frame(
    batches: Iterator[pa.RecordBatch], packed: bytes, spans: Sequence[tuple[int, int]], left_out: NDArray[np.int64]
) -> Iterator[pa.RecordBatch]:
    """Sum up the rows of a partition."""
    from pyspark import TaskContext  # noqa: PLC0415 - there on executors alone

    context = TaskContext.get()
    number = 0 if context is None else context.partitionId()
    yield from _sent(packed, number, lambda plan: gathered_of_frame(plan, spans, batches, left_out))


def run_ids(
    batches: Iterator[pa.RecordBatch],
    plan: bytes,
    groups: Sequence[bytes],
    keys: NDArray[np.int64] | None,
    *,
    keys_alone: bool,
) -> Iterator[pa.RecordBatch]:
    """Go through the ids of the pieces of some groups.

    Args:
        keys: Keys of the ids of rows that are wanted, sorted; None for all.
        keys_alone: Whether nothing but the key of each row is wanted.

    Yields:
        Rows: their keys; and unless these alone are wanted the piece, the place, the event time, and the id.

    Raises:
        RuntimeError: A file cannot be read; in its text is the error, for the driver.
    """
    columns, inside = pickle.loads(plan)  # noqa: S301 - the driver's own, of the same job
    reader = PieceReader(columns)
    try:
        for number in (number for batch in batches for number in batch.column(0).to_pylist()):
            for extent in pickle.loads(groups[number]):  # noqa: S301 - as above
                for rows in identified_rows(extent, columns, reader, inside):
                    some = rows if keys is None else with_keys(rows, keys)
                    found = {"key": id_keys(some.ids)}
                    if not keys_alone:
                        found |= {"number": np.full(some.us.size, extent.number), "place": some.places, "us": some.us}
                        found["id"] = some.ids.cast(pa.string())
                    yield pa.RecordBatch.from_pydict(found)
    except PitfallsError as error:
        raise RuntimeError(TASK_ERROR + json.dumps(_words(error))) from error


def _words(error: PitfallsError) -> list[str]:
    return [type(error).__name__, error.what, error.got, error.expected, error.fix]


def _sent(packed: bytes, number: int, run: Any) -> Iterator[pa.RecordBatch]:
    try:
        plan = unpacked(packed)
        partials: Iterator[Partial] = run(plan)
        for partial in partials:
            yield _row(number, partial, plan)
    except PitfallsError as error:
        text = json.dumps(_words(error))
        yield pa.RecordBatch.from_pylist([{"number": number, "start": -1, "data": b"", "error": text}], schema=_SCHEMA)


def _row(number: int, partial: Partial, plan: Recipe) -> pa.RecordBatch:
    row = {"number": number, "start": partial.start, "data": encoded(partial, plan), "error": ""}
    return pa.RecordBatch.from_pylist([row], schema=_SCHEMA)
