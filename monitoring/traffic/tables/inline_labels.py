"""Inline labels, in the row of their prediction: which of them were counted, window by window."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.atomic import PendingFile
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.windows import Window

FOLDER = "settled"

#: Rows that are written at once.
ROWS = 1 << 18

_SCHEMA = pa.schema(
    [
        pa.field("file", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("label", pa.int64(), nullable=False),
    ]
)
_COLUMNS = {
    "compression": "zstd",
    "use_dictionary": ["file"],
    "column_encoding": {"row": "DELTA_BINARY_PACKED", "label": "DELTA_BINARY_PACKED"},
    "write_statistics": False,  # nobody asks, and they take as long as the columns
}

#: The label of a row that was not counted.
NOT_COUNTED = -2

#: Stands for the name of a file, which has an extension, where rows go by the keys of their ids.
BY_ID = "ids"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLabels:
    """Rows of one file and the labels that they were counted with.

    Attributes:
        rows: int64 [n], sorted: places in the file, or keys of ids.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64], missing: int) -> NDArray[np.int64]:
        """The label that each of some rows was counted with, int64 [n]; `missing` where it was not."""
        if not self.rows.size:
            return np.full(rows.size, missing, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.rows, rows), self.rows.size - 1)
        return np.where(self.rows[places] == rows, self.labels[places], missing)


class InlineLabels:
    """Which inline labels were counted with their rows, kept in one file for each window.

    A row is known by its file and its place in it, or where the table has ids by its id's key, under the file name
    `BY_ID`. Size: a few bytes per thousand rows where all labels are equal, about a bit per row where there are two
    classes, and eight bytes more per row where rows go by keys.
    """

    def __init__(self, root: Path) -> None:
        """The labels kept in a folder of `root`, which need not exist."""
        self._folder = root / FOLDER

    def begin(self, since: datetime | None, judged_until: datetime | None) -> None:
        """Forget windows that are of no interest any more, and those that were counted and never judged.

        Args:
            since: windows that ended by then are forgotten; None: no window is for that reason.
            judged_until: the end of the last window judged: those that begin then or later are forgotten; None: all.
        """
        for path in self._paths():
            start, end = _span(path)
            over = since is not None and end <= as_microseconds(since)
            if over or judged_until is None or start >= as_microseconds(judged_until):
                path.unlink(missing_ok=True)

    def earliest(self) -> datetime | None:
        """The beginning of the first window that is kept; None if there is none."""
        first = min((_span(path)[0] for path in self._paths()), default=None)
        return None if first is None else as_datetime(first)

    def writer(self, window: Window) -> InlineLabelWriter:
        """Writes those of one window."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return InlineLabelWriter(
            self._folder / f"{as_microseconds(window.start)}-{as_microseconds(window.end)}.parquet"
        )

    def read(self, window: Window | None = None) -> Mapping[str, CountedLabels]:
        """All that were counted, or those of one window, by file."""
        wanted = None if window is None else (as_microseconds(window.start), as_microseconds(window.end))
        paths = [path for path in self._paths() if wanted is None or _span(path) == wanted]
        table = pa.concat_tables([_SCHEMA.empty_table(), *(read_counted(path) for path in paths)])
        files = table["file"].unify_dictionaries().combine_chunks()
        rows, labels = table["row"].to_numpy(), table["label"].to_numpy().astype(np.int64)
        codes = files.indices.to_numpy()
        counted = {}
        for code, name in enumerate(files.dictionary.to_pylist()):
            places = np.flatnonzero(codes == code)
            places = places[np.argsort(rows[places], kind="stable")]
            counted[name] = CountedLabels(rows=rows[places], labels=labels[places])
        return counted

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*-*.parquet")) if self._folder.is_dir() else []


class InlineLabelWriter:
    """Writes the counted labels of one window. Its file appears when the `with` block has ended well, or not at all."""

    def __init__(self, path: Path) -> None:
        """Writes to `path`."""
        self._path = path
        self._parts: list[pa.RecordBatch] = []
        self._waiting = 0
        self._pending: PendingFile | None = None
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._close()
        else:
            self._discard()

    def add(self, file: str, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
        """Add some rows of a file."""
        if not rows.size:
            return
        name = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows.size, np.int32)), [file])
        columns = [name, pa.array(rows), pa.array(labels)]
        self._parts.append(pa.RecordBatch.from_arrays(columns, schema=_SCHEMA))
        self._waiting += rows.size
        if self._waiting >= ROWS:
            self._flush()

    def _close(self) -> None:
        """Put the file in its place, also if it has no rows: the window was counted."""
        try:
            if self._waiting or self._file is None:
                self._flush()
            if self._file is not None:
                self._file.close()
        except BaseException:
            self._discard()
            raise
        if self._pending is not None:
            self._pending.commit()

    def _discard(self) -> None:
        if self._file is not None:
            with suppress(OSError, pa.ArrowException):  # a disk that is full has no room for the file's end
                self._file.close()
        if self._pending is not None:
            self._pending.discard()

    def _flush(self) -> None:
        if self._file is None:
            self._pending = PendingFile(self._path)
            self._file = pq.ParquetWriter(self._pending.file, _SCHEMA, **_COLUMNS)
        self._file.write_table(pa.Table.from_batches(self._parts, _SCHEMA), row_group_size=ROWS)
        self._parts, self._waiting = [], 0


def counted_with(ids: pa.Array, counted: Mapping[str, CountedLabels], missing: int) -> NDArray[np.int64]:
    """The label that each of some rows was counted with, by their ids: the table's, or file names and places.

    >>> one = CountedLabels(rows=np.array([3]), labels=np.array([1]))
    >>> counted_with(pa.array(["a.parquet:3", "a.parquet:4", "x"]), {"a.parquet": one}, -2).tolist()
    [1, -2, -2]

    Args:
        ids: text [n], none null.

    Returns:
        Class indices, int64 [n].
    """
    codes = np.full(len(ids), missing, dtype=np.int64)
    if BY_ID in counted:
        codes = counted[BY_ID].of(id_keys(ids), missing)
    for name, counted_labels in ((name, counted_labels) for name, counted_labels in counted.items() if name != BY_ID):
        rest = pc.if_else(pc.starts_with(ids, f"{name}:"), pc.utf8_slice_codeunits(ids, len(name) + 1), "")
        places = np.flatnonzero(np.asarray(pc.match_substring_regex(rest, r"^\d{1,18}$"), dtype=np.bool_))
        codes[places] = counted_labels.of(
            np.asarray(rest.take(pa.array(places)).cast(pa.int64()), dtype=np.int64), missing
        )
    return codes


def counted_bytes(table: pa.Table) -> bytes:
    """The bytes of a file of counted labels."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=ROWS, **_COLUMNS)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def read_counted(path: Path) -> pa.Table:
    """Read a file of counted labels: columns file, row (a place, or an id's key) and label."""
    with pq.ParquetFile(path) as file:
        return file.read(use_threads=False).cast(_SCHEMA)


def _span(path: Path) -> tuple[int, int]:
    """Start and end of a file's window, in microseconds; both are negative before 1970."""
    start, end = re.findall(r"(-?\d+)(?:-|$)", path.stem)
    return int(start), int(end)
