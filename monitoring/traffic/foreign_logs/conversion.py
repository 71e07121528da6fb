"""A log of another server as Parquet files: read once, its sides joined by id, as far as both are there."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.atomic import lock_file, replacing, write_text
from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.foreign_logs.bodies import BodyColumns, Unreadable, body_columns
from monitoring.traffic.foreign_logs.formats import is_label_file, read_labels, reader_named
from monitoring.traffic.foreign_logs.records import LoggedSide
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.remote.urls import is_url, shown_url

#: The folder of a label log that has what was read of another server's log.
CONVERTED: Final = "converted"

PREDICTION_ID: Final = "prediction_id"
EVENT_TIME: Final = "event_time"
LABEL: Final = "label"

#: Calls whose sides are held at once, and rows that a part has.
CALLS_AT_ONCE: Final = 50_000

#: The names of files that are read in a folder.
SUFFIXES: Final = (".jsonl", ".ndjson", ".json", ".csv", ".parquet", ".pq", ".tfrecord", ".tfrecords")

#: Bytes by which a file that has grown is told from another of its name.
_START_BYTES = 1 << 16

_STATE = "state.json"
_FORMAT = 1
_SIDES = pa.schema(
    [
        ("id", pa.string()),
        ("side", pa.string()),
        ("body", pa.string()),
        ("content_type", pa.string()),
        ("at_us", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionCounts:
    """What became of a log's records, over all files read so far.

    Attributes:
        calls: that became rows.
        rows: of these calls.
        labels: with what was right, of a call each.
        unpaired: sides whose other side has not come.
        unreadable: records, or bodies of calls, that are none.
        untimed: calls without a time, which are no rows.
        reversed: calls that were answered before they were asked, by the clocks of their sides.
    """

    calls: int = 0
    rows: int = 0
    labels: int = 0
    unpaired: int = 0
    unreadable: int = 0
    untimed: int = 0
    reversed: int = 0

    def remarks(self) -> tuple[str, ...]:
        """What a person has to know; nothing where every record became a row."""
        told = (
            (self.unpaired, "side{} of a call {} without the other, and counted as no row until it comes"),
            (self.unreadable, "record{} of the log {} unreadable, or of another version of its format, and left out"),
            (self.untimed, "call{} {} without a time, and left out"),
            (self.reversed, "call{} {} answered before the request, by the log's clocks; the request's time counts"),
        )
        return tuple(
            f"{count:,} {words.format('' if count == 1 else 's', 'is' if count == 1 else 'are')}."
            for count, words in told
            if count
        )


@dataclass(slots=True)
class _State:
    """What has been read: records of each file, the parts that were written, and the counts."""

    sources: dict[str, tuple[int, int, int, str]] = field(default_factory=dict)
    parts: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def convert_log(
    files: Iterable[tuple[str, Path]], format_name: str, folder: Path, *, names: Sequence[str] = ()
) -> ConversionCounts:
    """Read what is new of a log, and write its rows below a folder: ``rows/*.parquet`` and ``labels/*.parquet``.

    A file that was read is not read again, of one that has grown the new records alone; one that was written anew under
    its name is read as a whole. A process that is killed leaves
    what the next one does again, to the same files. BodyColumns are named by the bodies; answers are ``prediction``, or
    ``prediction_0`` and so on; rows of a call of several have the ids ID:0, ID:1 and so on. Files whose names begin
    with ``labels`` have labels by these ids, whatever the format.

    Cost: each record is parsed once, some 20 µs a call. Memory: the sides of `CALLS_AT_ONCE` calls, and those that wait
    for their other side.

    Args:
        files: the log's files by their names, in the order in which they are read.
        format_name: one of `FORMATS`, or an installed plug-in.
        folder: is made if there is none.
        names: of the inputs, where bodies have no names.

    Returns:
        The counts of all that was read so far.

    Raises:
        BadInput: no such format, or a file that is not of it.
        CannotRun: another process converts it, or the folder cannot be written.
    """
    reader = reader_named(format_name)
    try:
        for name in ("rows", "labels"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w", encoding="utf-8") as lock:
            if not lock_file(lock.fileno()):
                raise CannotRun(
                    "Another process reads this log.",
                    got=str(folder),
                    expected="one process at a time",
                    fix="Wait for it to end.",
                )
            conversion = _Conversion(folder, names)
            for name, path in files:
                conversion.read(name, path, read_labels(path) if is_label_file(name) else reader(path))
            conversion.write()
            return conversion.counts
    except OSError as error:
        raise CannotRun(
            "A log cannot be converted.",
            got=f"{error.filename or folder}: {error.strerror or error}",
            expected="files that this user may read, and a folder that it may write",
            fix="Give the right, or free space, and run again: it goes on.",
        ) from error


def log_files(place: Path | str) -> Iterator[tuple[str, Path]]:
    """The files of a log by their names, in order of names: one file, or all below a folder or a URL.

    Files at a URL are copied to a local cache one after the other. Raises BadInput where there is none.
    """
    files: Iterable[tuple[str, Path]]
    if is_url(str(place)):
        store = FileStore(str(place))
        files = (
            (name, LOCAL_CACHE.get(f"{place}/{name}", store.stamp(name), _suffix(name), partial(store.get, name)))
            for name in sorted(store.find())
            if _is_log_file(name)
        )
    elif Path(place).is_file():
        files = [(Path(place).name, Path(place))]
    else:
        paths = {path.relative_to(place).as_posix(): path for path in Path(place).rglob("*") if path.is_file()}
        files = [(name, paths[name]) for name in sorted(paths) if _is_log_file(name)]
    empty = True
    for file in files:
        empty = False
        yield file
    if empty:
        raise BadInput(
            "There is no such log.",
            got=f"{shown_url(str(place))}, without a file of these kinds",
            expected=f"files that end in {', '.join(SUFFIXES)}, or these with .gz",
            fix="Check the path.",
        )


def _suffix(name: str) -> str:
    return ".".join(["", *name.rpartition("/")[2].split(".")[1:]])


def _is_log_file(name: str) -> bool:
    hidden = any(part[0] in "._" for part in name.split("/"))
    return not hidden and name.removesuffix(".gz").endswith(SUFFIXES)


def with_labels(folder: Path, target: Path) -> None:
    """Write the rows of a converted log with their labels, as one table; of several labels of a row the last."""
    rows = pq.read_table(folder / "rows", partitioning=None)
    if any((folder / "labels").iterdir()):
        labels = pq.read_table(folder / "labels", partitioning=None)
        last = labels.group_by(PREDICTION_ID, use_threads=False).aggregate([(LABEL, "last")])
        rows = rows.join(last.rename_columns([PREDICTION_ID, LABEL]), PREDICTION_ID).sort_by(EVENT_TIME)
    pq.write_table(rows.replace_schema_metadata(None), target)


def _start(path: Path, size: int) -> str:
    """A digest of a file's first bytes, of those that it had at a size: it stays as it is while the file grows."""
    with path.open("rb") as file:
        return hashlib.sha256(file.read(min(size, _START_BYTES))).hexdigest()


class _Conversion:
    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        self._state, self._waiting = _State(), dict[tuple[str, str], LoggedSide]()
        self._read, self._is_new = list[LoggedSide | None](), False
        try:
            document = json.loads((folder / _STATE).read_text("utf-8"))
        except FileNotFoundError:
            return
        if document["format"] != _FORMAT or document["names"] != list(names):
            raise BadInput(
                "The log was converted in another way before.",
                got=f"the names {', '.join(names) or 'of the bodies'}",
                expected=", ".join(document["names"]) or "the names of the bodies",
                fix=f"Give the same names, or delete {folder} to read the log anew.",
            )
        self._state = _State(
            sources={name: tuple(entry) for name, entry in document["sources"].items()},
            parts=document["parts"],
            counts=Counter(document["counts"]),
        )
        for row in pq.read_table(folder / document["waiting"]).to_pylist():
            side = LoggedSide(**row)
            self._waiting[side.id, side.side] = side

    @property
    def counts(self) -> ConversionCounts:
        return ConversionCounts(**self._state.counts, unpaired=len(self._waiting))

    def read(self, name: str, path: Path, sides: Iterator[LoggedSide | None]) -> None:
        """Read what is new of a file. It is written with that of other files, `2 * CALLS_AT_ONCE` sides at once."""
        stat = path.stat()
        size, changed, known, start = self._state.sources.get(name, (0, 0, 0, ""))
        if start and (size, changed) == (stat.st_size, stat.st_mtime_ns):
            return
        if start and start != _start(path, size):
            known = 0  # another file of that name: its rows that were read before are repeats
        start = _start(path, stat.st_size)
        for side in islice(sides, known, None):
            self._read.append(side)
            known += 1
            if len(self._read) >= 2 * CALLS_AT_ONCE:
                # until it is read to its end, it counts as changed
                self._state.sources[name] = (stat.st_size, 0, known, start)
                self.write()
        self._state.sources[name] = (stat.st_size, stat.st_mtime_ns, known, start)
        self._is_new = True

    def write(self) -> None:
        """Write the rows of what has been read, and then what has been read."""
        if not self._is_new and not self._read:
            return
        sides, self._read, self._is_new = self._read, [], False
        rows, labels = list[dict[str, Any]](), list[dict[str, Any]]()
        for side in sides:
            if side is None:
                self._state.counts["unreadable"] += 1
            elif side.side == "label":
                labels += self._labels(side)
            else:
                other = self._waiting.pop((side.id, "response" if side.side == "request" else "request"), None)
                if other is None:
                    self._waiting[side.id, side.side] = side
                else:
                    rows += self._rows(*((side, other) if side.side == "request" else (other, side)))
        number = self._state.parts
        for folder, found in (("rows", rows), ("labels", labels)):
            if found:
                keys = dict.fromkeys(key for row in found for key in row)
                table = pa.table({key: _column([row.get(key) for row in found]) for key in keys})
                remark = " ".join(self.counts.remarks())
                table = table.replace_schema_metadata({"pitfalls.remark": remark} if remark else None)
                with replacing(self._folder / folder / f"{number:08}.parquet") as file:
                    pq.write_table(table, file)
        self._state.parts = number + bool(rows or labels)
        self._write(f"waiting-{number:08}.parquet")

    def _rows(self, request: LoggedSide, response: LoggedSide) -> Iterator[dict[str, Any]]:
        at = request.at_us if request.at_us is not None else response.at_us
        if at is None:
            self._state.counts["untimed"] += 1
            return
        if response.at_us is not None and response.at_us < at:
            self._state.counts["reversed"] += 1
        try:
            inputs = body_columns(request.body, request.content_type, self._names, default="input")
            answers = body_columns(response.body, response.content_type, (), default="prediction")
            count = _length(inputs, answers)
        except Unreadable:
            self._state.counts["unreadable"] += 1
            return
        columns = {**inputs, **{name if name not in inputs else f"output_{name}": answers[name] for name in answers}}
        self._state.counts["calls"] += 1
        self._state.counts["rows"] += count
        for place in range(count):
            row_id = request.id if count == 1 else f"{request.id}:{place}"
            yield {PREDICTION_ID: row_id, EVENT_TIME: at, **{name: cells[place] for name, cells in columns.items()}}

    def _labels(self, side: LoggedSide) -> Iterator[dict[str, Any]]:
        try:
            (cells,) = body_columns(side.body, side.content_type, (), default=LABEL).values()
        except (Unreadable, ValueError):
            self._state.counts["unreadable"] += 1
            return
        self._state.counts["labels"] += 1
        for place, value in enumerate(cells):
            yield {PREDICTION_ID: side.id if len(cells) == 1 else f"{side.id}:{place}", LABEL: value}

    def _write(self, waiting: str) -> None:
        columns = {name: [getattr(side, name) for side in self._waiting.values()] for name in _SIDES.names}
        with replacing(self._folder / waiting) as file:
            pq.write_table(pa.table(columns, schema=_SIDES), file)
        document = {
            "format": _FORMAT,
            "names": list(self._names),
            "waiting": waiting,
            "sources": self._state.sources,
            "parts": self._state.parts,
            "counts": self._state.counts,
        }
        write_text(self._folder / _STATE, json.dumps(document) + "\n")
        for path in self._folder.glob("waiting-*.parquet"):
            if path.name != waiting:
                path.unlink()


def _length(inputs: BodyColumns, answers: BodyColumns) -> int:
    """How many rows a call has."""
    lengths = {len(cells) for cells in (*inputs.values(), *answers.values())}
    if len(lengths) != 1:
        raise Unreadable("as many answers as rows")
    return lengths.pop()


def _column(cells: list[Any]) -> pa.Array:
    """Cells of one kind as they are; of several kinds as text."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if len(kinds) > 1:
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    if kinds == {int}:  # event times
        return pa.array(cells, pa.timestamp("us", "UTC"))
    return pa.array(cells, None if kinds else pa.string())
