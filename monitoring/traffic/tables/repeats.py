"""Which rows of a streamed table have an id that another row has too, found without holding rows or ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.traffic.id_keys import keys, member
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import ParquetPiece
from monitoring.traffic.tables.indexed import first_of_each
from monitoring.traffic.tables.piece_stream import raw_batches
from monitoring.traffic.tables.rows import event_times, identities

#: Rows whose ids are compared as words at once, about.
AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Rows by their piece, as sorted places int64.

    `shared` are those whose id is there more than once, `dropped` those of them that do not count: of rows with one id
    the earliest counts, of those of one time the last, as in `TableTraffic`.
    """

    shared: Mapping[ParquetPiece, NDArray[np.int64]] = field(default_factory=dict)
    dropped: Mapping[ParquetPiece, NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: Sequence[ParquetPiece], rows: int, columns: TableColumns, since: int | None) -> Repeats:
        """Those among the rows, so many at most, that happened at `since` (microseconds) or later.

        Memory: eight bytes a row while it is looked for, sixteen a row found, and the ids of a million rows. Cost: one
        pass over ids, and where some are alike another over ids and times.
        """
        found = np.empty(rows, dtype=np.int64)
        filled = 0
        for piece in pieces:
            for _, ids, _ in _read(piece, columns, since):
                found[filled : filled + len(ids)] = keys(ids)
                filled += len(ids)
        alike, counts = _alike(found[:filled])
        del found
        shared: dict[ParquetPiece, list[NDArray[np.int64]]] = {}
        dropped: dict[ParquetPiece, list[NDArray[np.int64]]] = {}
        for values in np.split(alike, np.flatnonzero(np.diff(np.cumsum(counts) // AT_ONCE)) + 1) if alike.size else ():
            _compare(pieces, columns, since, values, shared=shared, dropped=dropped)
        return cls(shared=_sorted(shared), dropped=_sorted(dropped))


def _alike(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The values that are there more than once, sorted, and how often; sorts them in their place."""
    values.sort()
    return np.unique(values[1:][values[1:] == values[:-1]], return_counts=True)


def _compare(
    pieces: Sequence[ParquetPiece],
    columns: TableColumns,
    since: int | None,
    values: NDArray[np.int64],
    *,
    shared: dict[ParquetPiece, list[NDArray[np.int64]]],
    dropped: dict[ParquetPiece, list[NDArray[np.int64]]],
) -> None:
    """Compare as words the ids whose keys are among the values."""
    words, when, owner, at = [], [], [], []
    for number, piece in enumerate(pieces):
        for places, ids, us in _read(piece, columns, since):
            mine = np.flatnonzero(member(keys(ids), values))
            words.append(ids.take(pa.array(mine)).cast(pa.large_string()))
            when.append(us[mine])
            owner.append(np.full(mine.size, number))
            at.append(places[mine])
    times = np.concatenate(when)
    order = np.argsort(times, kind="stable")
    ids = pa.concat_arrays(words).take(pa.array(order))
    numbers, places = np.concatenate(owner)[order], np.concatenate(at)[order]
    codes = ids.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    twice = np.bincount(codes)[codes] > 1
    counts = first_of_each(ids, times[order])
    for number in np.unique(numbers[twice]).tolist():
        mine = twice & (numbers == number)
        shared.setdefault(pieces[number], []).append(places[mine])
        dropped.setdefault(pieces[number], []).append(places[mine & ~counts])


def _read(
    piece: ParquetPiece, columns: TableColumns, since: int | None
) -> Iterator[tuple[NDArray[np.int64], pa.Array, NDArray[np.int64]]]:
    """Places, ids and times of the rows since then, batch by batch."""
    for first, raw in raw_batches(piece, (columns.prediction_id, columns.event_time)):
        ids, us = identities(piece, raw, columns, first), event_times(raw, columns).us
        places = first + np.arange(len(ids))
        if since is not None and len(us) and int(us.min()) < since:
            late = np.flatnonzero(us >= since)
            places, us, ids = places[late], us[late], ids.take(pa.array(late))
        yield places, ids, us


def _sorted(found: dict[ParquetPiece, list[NDArray[np.int64]]]) -> dict[ParquetPiece, NDArray[np.int64]]:
    whole = {piece: np.sort(np.concatenate(places)) for piece, places in found.items()}
    return {piece: places for piece, places in whole.items() if places.size}
