"""Tables without dates whose rows come in batches: each file, or each value of a column, is a window.

A batch takes the place of a time: the moment at which it was first seen, kept in a file beside the labels. Batches that
are seen together follow each other in the natural order of their names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from monitoring.atomic import write_text
from monitoring.errors import BadInput, CannotRun
from monitoring.records import BATCH, Finding
from monitoring.timestamps import as_microseconds
from monitoring.traffic.cells import as_strings
from monitoring.traffic.format.rows import TIMESTAMP
from monitoring.traffic.tables.pieces import PieceStamp, TablePiece, WholePiece
from monitoring.traffic.tables.raw_rows import RawRows
from monitoring.traffic.tables.table_format import BATCH_TIME, BatchKey
from monitoring.traffic.windows import Window

#: The file that keeps when each batch was first seen.
SEEN = "batches.json"

_SECOND = 1_000_000

#: So many batches are named in a message.
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPiece(WholePiece):
    """A piece whose rows have their batch's time in the column `BATCH_TIME`. A `TablePiece`."""

    piece: TablePiece
    key: BatchKey
    moments: Mapping[str, int]

    @property
    @override
    def name(self) -> str:
        return self.piece.name

    @property
    @override
    def first_row(self) -> int:
        return self.piece.first_row

    def read(self, names: Collection[str] | None = None) -> RawRows:
        """See `TablePiece`; the column of batches comes with the others."""
        column = self.key.column
        raw = self.piece.read(None if names is None else {*names, *(() if column is None else (column,))})
        return with_batch_times(raw, self.piece.name, self.key, self.moments)

    @override
    def stamp(self) -> PieceStamp | None:
        return self.piece.stamp()


def with_batch_times(raw: RawRows, file: str, key: BatchKey, times: Mapping[str, int]) -> RawRows:
    """Rows with the times of their batches; null where the batch has none."""
    if key.column is None:
        moment = times.get(file)
        us = pa.array([moment] * raw.table.num_rows, pa.int64())
    else:
        words = pa.array(list(times), pa.string())
        us = pa.array(list(times.values()), pa.int64()).take(pc.index_in(_words(raw, key.column), words))
    return replace(raw, table=raw.table.append_column(BATCH_TIME, us.cast(TIMESTAMP)))


def names_of(pieces: Iterable[TablePiece], key: BatchKey) -> tuple[str, ...]:
    """The batches of a table, in natural order: 2 before 10. Cost: a pass over the column of batches."""
    if key.column is None:
        return tuple(sorted({piece.name for piece in pieces}, key=natural))
    names: set[str] = set()
    for piece in pieces:
        raw = piece.read((key.column,))
        if key.column not in raw.table.column_names:
            raise BadInput(
                "The column of batches is absent.",
                got=f"{piece.name}, which has no column {key.column}",
                expected="the batch of each row",
                fix="Correct `batch_column` in the [windows] section, or name what is a batch in all files alike.",
            )
        names.update(pc.unique(_words(raw, key.column)).drop_null().to_pylist())
    return tuple(sorted(names, key=natural))


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """The order of names in which numbers count as numbers.

    >>> sorted(["week 10", "week 9"], key=natural)
    ['week 9', 'week 10']
    """
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,18})", name) if part)


def times_after(names: Sequence[str], earlier_times: Mapping[str, int], now: datetime) -> dict[str, int]:
    """When batches were first seen: those that are new before now, one after the other, and after all others.

    >>> from datetime import UTC
    >>> times_after(["a", "b"], {}, datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC))
    {'a': 1000000, 'b': 2000000}

    Args:
        earlier_times: Microseconds since 1970 by batch.
    """
    new = [name for name in names if name not in earlier_times]
    latest = max(earlier_times.values(), default=None)
    end = as_microseconds(now)
    step = _SECOND if latest is None else min(_SECOND, max((end - latest) // (len(new) + 1), 1))
    first = end - step * len(new)
    first = first if latest is None else max(first, latest + 1)
    return {**earlier_times, **{name: first + place * step for place, name in enumerate(new)}}


class SeenBatches:
    """When each batch of a deployment was first seen, in a file of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SEEN

    def read(self) -> dict[str, int]:
        """Microseconds since 1970 by batch; none before the first run. Raises CannotRun for a damaged file."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _reject(self._path, error)
        if not isinstance(document, dict) or not all(isinstance(us, int) for us in document.values()):
            _reject(self._path, ValueError("no object of whole numbers"))
        return document

    def see(self, pieces: Sequence[TablePiece], key: BatchKey, now: datetime) -> dict[str, int]:
        """Give a time to each new batch, and keep it. Returns the times of all. Raises what `names_of` raises."""
        earlier_times = self.read()
        times = times_after(names_of(pieces, key), earlier_times, now)
        if times != earlier_times:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_text(self._path, json.dumps(times, ensure_ascii=False, indent=0))
            except OSError as error:
                _reject(self._path, error)
        return times


def batch_findings(times: Mapping[str, int], window: Window) -> tuple[Finding, ...]:
    """The name of the batch of a window: the last, with whose rows it ends. Those before it have no row that counts."""
    start, end = as_microseconds(window.start), as_microseconds(window.end)
    names = sorted((us, name) for name, us in times.items() if start <= us < end)[-1:]
    return tuple(Finding(kind=BATCH, feature=name, message=f"This window is the batch {name}.") for _, name in names)


def repeated_batches(rows: Mapping[str, tuple[int, int]]) -> tuple[Finding, ...]:
    """The batches that make no window, as each of their rows has the id of a row that counts already.

    >>> repeated_batches({"w10": (3, 3), "w11": (3, 0), "w12": (0, 0)})[0].message
    'All 3 rows of w11 have the ids of earlier rows, and make no window. If they are other rows, they need other ids.'

    Args:
        rows: How many rows each batch has, and how many of them count.
    """
    repeated = {name: present for name, (present, counting) in rows.items() if present and not counting}
    if not repeated:
        return ()
    named = ", ".join(list(repeated)[:_NAMED]) + (", …" if len(repeated) > _NAMED else "")
    batches = named if len(repeated) == 1 else f"{len(repeated)} batches ({named})"
    message = (
        f"All {sum(repeated.values()):,} rows of {batches} have the ids of earlier rows, and make no window. If they "
        "are other rows, they need other ids."
    )
    return (Finding(kind="repeated batch", feature="", message=message),)


def _words(raw: RawRows, column: str) -> pa.Array:
    return as_strings(raw.cells(column)).cast(pa.string())


def _reject(path: Path, error: Exception) -> NoReturn:
    raise CannotRun(
        "The times of batches cannot be kept.",
        got=f"{path}: {error}",
        expected="a file that this user can read and write",
        fix="Check the folder of `label_log`; restore the file from a backup if it is damaged.",
    ) from error
