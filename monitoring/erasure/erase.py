"""Erasing rows wherever they are kept: log, archive, label log, rollouts, the monitor's store, and tables made of them.

The receipt is written first, with the hashes of the ids: from then on no segment is converted, and no label added, with
them. Rows of the log go last, so that a process that is killed leaves what the same request finds again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from monitoring.erasure.change import Change, ErasedRows, Unreached, file_remains, replaced_file, store_remains
from monitoring.erasure.logged_rows import both_ids, ids_where, open_segments, part_changes, still_open
from monitoring.erasure.receipt import Receipt, ReceiptFile, new_receipt
from monitoring.erasure.store_rows import ERASED_TABLES, erase_rows
from monitoring.erasure.table_rows import PREDICTION_ID, check_table, table_change
from monitoring.erasure.wanted_rows import ColumnValue, WantedRows
from monitoring.errors import BadInput, CannotRun
from monitoring.store.store import Store
from monitoring.traffic.foreign_logs.conversion import CONVERTED
from monitoring.traffic.format.layout import LABELS, check_root, is_log
from monitoring.traffic.format.segments import SegmentContents, SegmentFile, read_segment, segments_in
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.labels.asked_rows import ASKED
from monitoring.traffic.labels.label_retention import LOCK
from monitoring.traffic.labels.label_writer import LABEL_SCHEMA, with_owners
from monitoring.traffic.log.conversion import recover
from monitoring.traffic.tables.inline_labels import BY_ID, FOLDER, counted_bytes, read_counted
from monitoring.traffic.tables.kept_sums import KeptSumsFolder


def label_changes(root: Path, wanted: WantedRows, clock: Callable[[], datetime]) -> Iterator[Change]:
    """The segments of a label log with wanted labels, each with empty ones in their places.

    A label's place in the log is its sequence number, by which the monitor knows which labels it has read; so places
    stay. Bytes of interrupted appends at the end of such a segment are cut off. Writers wait meanwhile, and go on in a
    new segment. Each change is to be applied before the next is asked for.

    Cost: every segment is read; those with wanted labels are written.
    """
    folder = root / LABELS
    if not segments_in(folder):
        return
    with _locked(folder):
        segments = segments_in(folder)
        for path in segments:
            contents = read_segment(path)
            emptied = _emptied(contents, wanted)
            if emptied is None:
                continue
            table, removed = emptied
            data = LABEL_SCHEMA.serialize().to_pybytes()
            data += b"".join(batch.serialize().to_pybytes() for batch in table.to_batches())
            if contents.damaged:
                data += path.read_bytes()[-contents.torn_bytes :]
            name = f"{LABELS}/{path.name}"
            change = replaced_file(path, data, kind="label log", name=name, rows=table.num_rows, removed=removed)
            yield change if path != segments[-1] else replace(change, apply=_after_another(change, path, clock))


def _after_another(change: Change, path: Path, clock: Callable[[], datetime]) -> Callable[[], None]:
    """Apply a change to the newest segment after a newer one was made: whoever appends to it goes on in another."""

    def apply() -> None:
        SegmentFile.create(path.parent, clock(), after=path.stem).release()
        change.apply()

    return apply


def unreadable_labels(root: Path) -> tuple[Unreached, ...]:
    """The segments of a label log with damaged bytes, behind which nothing can be erased."""
    return tuple(
        Unreached(
            what=f"{LABELS}/{path.name}",
            why="its labels behind damaged bytes cannot be read",
            fix="Restore the file from a backup and run again; or delete it, with `monitor run --new-label-log` after.",
        )
        for path in segments_in(root / LABELS)
        if read_segment(path).damaged
    )


def counted_changes(root: Path, wanted: WantedRows) -> Iterator[Change]:
    """The files of labels that were counted with a table's rows, without those known by a wanted id.

    Rows that are known by their place in a file have no id and stay.

    Cost: every file is read.
    """
    if not (root / FOLDER).is_dir() or not wanted.ids:
        return
    keys = np.unique(id_keys(pa.array(wanted.ids, pa.string())))
    for path in sorted((root / FOLDER).glob("*-*.parquet")):
        table = read_counted(path)
        by_id = np.asarray(table["file"].cast(pa.string()).to_pylist(), dtype=object) == BY_ID
        mask = by_id & np.isin(table["row"].to_numpy(), keys)
        if mask.any():
            content = counted_bytes(table.filter(pa.array(~mask)))
            name, removed = f"{FOLDER}/{path.name}", int(mask.sum())
            yield replaced_file(path, content, kind="counted labels", name=name, rows=table.num_rows, removed=removed)


def kept_changes(root: Path, wanted: WantedRows) -> Iterator[Change]:
    """The files of sums that are kept of a table's windows and have wanted rows among their samples: they are deleted.

    So are files that cannot be read. Cost: every file is read.
    """
    keys = np.unique(id_keys(pa.array(wanted.ids, pa.string())))
    for file in KeptSumsFolder(root).files():
        try:
            removed = _wanted_in(file.contents(), wanted, keys)
        except (ValueError, pa.ArrowException):
            removed = file.rows
        if removed:
            before = hashlib.sha256(file.path.read_bytes()).hexdigest()
            name = f"{file.path.parent.name}/{file.path.name}"
            erased = ErasedRows(
                kind="kept sums", file=name, rows=file.rows, removed=removed, sha256_before=before, sha256_after=None
            )
            yield Change(erased=erased, apply=partial(file.path.unlink, missing_ok=True))


def _wanted_in(contents: bytes, wanted: WantedRows, keys: NDArray[np.int64]) -> int:
    """How many wanted rows the samples, or the counted labels, of kept sums have: the most of any."""
    most = 0
    parts = pa.ipc.open_stream(contents).read_all()
    for kind, data in zip(parts["name"].to_pylist(), parts["data"].to_pylist(), strict=True):
        if kind == "counted":
            most = max(most, int(np.isin(pa.ipc.open_stream(data).read_all()["row"].to_numpy(), keys).sum()))
        if kind == "sample":
            rows = pa.ipc.open_stream(data).read_all().combine_chunks()
            mask = wanted.of_ids(rows["prediction_id"].combine_chunks())
            column = None if wanted.where is None else wanted.where.column_in(rows.column_names)
            if column is not None and wanted.where is not None:
                mask |= wanted.where.matches(rows[column])
            most = max(most, int(mask.sum()))
    return most


def _emptied(contents: SegmentContents, wanted: WantedRows) -> tuple[pa.Table, int] | None:
    """The labels with empty ones for those wanted, and their number; None if there is none."""
    if contents.table is None or not contents.table.num_rows:
        return None
    table = with_owners(contents.table)
    mask = wanted.of_ids(table["prediction_id"].combine_chunks())
    if not mask.any():
        return None
    columns = []
    for field in LABEL_SCHEMA:
        column = table[field.name].combine_chunks()
        empty = pa.scalar("" if pa.types.is_string(field.type) else 0).cast(field.type)
        empty = pa.scalar(None, field.type) if field.nullable else empty
        columns.append(pc.if_else(pa.array(mask), empty, column))
    return pa.Table.from_arrays(columns, schema=LABEL_SCHEMA), int(mask.sum())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_BUSY_FIX = "Stop what has the store open (pitfalls monitor ui, serve and run), and run the same command again."


def rewrite(store: Store) -> tuple[Unreached, ...]:
    """Write a store anew: `VACUUM` and an empty write-ahead log of SQLite, `VACUUM FULL` of PostgreSQL.

    SQLite leaves rows that were changed, and not deleted, in pages that are in use. Cost: the store is copied once, and
    nobody can write it meanwhile; readers wait for PostgreSQL's.

    Returns:
        What could not be rewritten, such as a write-ahead log that somebody reads.
    """
    engine = store.transactions.engine
    if engine.dialect.name != "sqlite":
        return _rewrite_tables(engine)
    with engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
        try:
            cursor.execute("VACUUM")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            return (Unreached(what="store: free pages", why=str(error), fix=_BUSY_FIX),)
    if busy:
        return (Unreached(what="store: write-ahead log", why="another process reads it", fix=_BUSY_FIX),)
    return ()


def _rewrite_tables(engine: Engine) -> tuple[Unreached, ...]:
    """Write the tables of a PostgreSQL store anew, one after the other, outside of any transaction."""
    try:
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            connection.detach()  # it is closed at the end, and not used with these settings by others
            driver.rollback()
            driver.autocommit = True
            with closing(driver.cursor()) as cursor:
                cursor.execute("SET statement_timeout = 0")
                for table in ERASED_TABLES:
                    cursor.execute(f'VACUUM FULL "{table.name}"')
    except (engine.dialect.loaded_dbapi.Error, DBAPIError) as error:
        reason = error.args[0]["M"] if error.args and isinstance(error.args[0], dict) else str(error)
        return (Unreached(what="store: deleted rows", why=reason, fix="Run VACUUM FULL as the tables' owner."),)
    return ()


_POLL_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequest:
    """What is to be erased, and where.

    Attributes:
        ids: Ids of predictions; empty with `where`.
        where: The column and value that rows are found by; None with `ids`.
        store_url: The monitor's store; None: it is left alone.
        rollouts: The folder of the model's rollouts, whose candidates' answers are traffic logs of their own.
        id_column: What tables call the id of a prediction, beside ``prediction_id``.
    """

    root: Path
    ids: tuple[str, ...] = ()
    where: ColumnValue | None = None
    by: str
    store_url: str | None = None
    tables: tuple[Path, ...] = ()
    rollouts: Path | None = None
    id_column: str = PREDICTION_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long running servers are waited for."""

    seconds: float
    clock: Callable[[], datetime]
    elapsed: Callable[[], float]
    sleep: Callable[[float], None]
    tell: Callable[[str], None]


def plan_erasure(request: ErasureRequest, clock: Callable[[], datetime]) -> tuple[ErasedRows, ...]:
    """What an erasure would do to files: nothing is changed, nor recorded."""
    wanted = _wanted(request)
    plain = [change.erased for change in _changes(request, wanted, clock)]
    logged = []
    for log in (request.root, *_rollout_logs(request)):
        files = (*open_segments(log, wanted), *(change.erased for change in part_changes(log, wanted)))
        logged += [_of_log(log, request, erased) for erased in files]
    return (*plain, *logged)


def erase(request: ErasureRequest, waiting: Waiting) -> tuple[Receipt, Path]:
    """Erase rows.

    Sums, scores and verdicts that these rows had a part in stay: nobody's values are in them.

    Cost: two columns of every part whose request ids may be wanted, and with `where` its column; all labels; the
    incidents and findings of the store. Files with such rows, and the store, are written anew. All is then read once
    more: what still has such a row is not complete. Memory: one file.
    """
    wanted = _wanted(request)
    ids = WantedRows(ids=wanted.ids)
    of_candidates = {
        log: _erase_at(replace(request, root=log, store_url=None, tables=()), ids, waiting)[0]
        for log in _rollout_logs(request)
    }
    return _erase_at(request, wanted, waiting, of_candidates)


def _erase_at(
    request: ErasureRequest, wanted: WantedRows, waiting: Waiting, of_candidates: Mapping[Path, Receipt] | None = None
) -> tuple[Receipt, Path]:
    """Erase the rows of one traffic log, of the store and of tables; `of_candidates`: what was erased of other logs."""
    try:
        receipt, earlier = new_receipt(
            request.root, request.where or request.ids, wanted.ids, by=request.by, clock=waiting.clock
        )
        wanted = WantedRows(ids=wanted.ids, where=wanted.where, pending=earlier)
        file = ReceiptFile(request.root, receipt)
        unreached = [*unreadable_labels(request.root)]
        for log, of_log in (of_candidates or {}).items():
            for erased in of_log.files:
                file.add(_of_log(log, request, erased))
            unreached += [replace(place, what=f"{_log_name(log, request)}{place.what}") for place in of_log.unreached]
        _apply(file, _changes(request, wanted, waiting.clock))
        if request.store_url is not None:
            unreached += _erase_stored(request.store_url, wanted, file, waiting.clock())
        unreached += _erase_logged(request.root, wanted, file, waiting)
        again = (*_changes(request, wanted, waiting.clock), *part_changes(request.root, wanted))
        unreached += file_remains(file.receipt.files, again, wanted.ids)
        return file.end(tuple(unreached), waiting.clock()), file.path
    except OSError as error:
        raise CannotRun(
            "Not all rows were erased.",
            got=f"{error.filename or request.root}: {error.strerror or error}",
            expected="files that this user may read and write, and free space for the largest of them",
            fix="Give the right to write, or free space, and run the same command again: it goes on.",
        ) from error


def _rollout_logs(request: ErasureRequest) -> list[Path]:
    """The traffic logs of candidates' answers in the folder of a model's rollouts, however deep."""
    if request.rollouts is None or not request.rollouts.is_dir():
        return []
    folders = [folder for folder in request.rollouts.rglob("*") if folder.is_dir()]
    return sorted(folder for folder in folders if is_log(path.name for path in folder.iterdir()))


def _log_name(log: Path, request: ErasureRequest) -> str:
    """What the names of a log's files begin with in the receipt."""
    if log == request.root or request.rollouts is None:
        return ""
    return f"rollouts/{log.relative_to(request.rollouts).as_posix()}/"


def _of_log(log: Path, request: ErasureRequest, erased: ErasedRows) -> ErasedRows:
    return replace(erased, file=f"{_log_name(log, request)}{erased.file}")


def _wanted(request: ErasureRequest) -> WantedRows:
    check_root(request.root)
    _check_owner(request.root)
    ids = request.ids if request.where is None else ids_where(request.root, request.where)
    wanted = WantedRows(ids=both_ids(request.root, ids), where=request.where)
    for table in request.tables:
        check_table(table, wanted, request.id_column)
    for log in _rollout_logs(request):
        _check_owner(log)
    return wanted


def _check_owner(root: Path) -> None:
    """Raises CannotRun if the log is another user's, who could not read what is written anew."""
    owner = root.stat().st_uid
    if owner != os.geteuid():
        raise CannotRun(
            "The traffic log belongs to another user.",
            got=f"user {os.geteuid()}; {root} belongs to user {owner}",
            expected="the user who runs the server: files are written anew, and it has to read them",
            fix=f"Run the same command as that user: sudo -u '#{owner}' pitfalls traffic forget …",
        )


def _changes(request: ErasureRequest, wanted: WantedRows, clock: Callable[[], datetime]) -> Iterator[Change]:
    """The changes of label logs and tables."""
    yield from label_changes(request.root, wanted, clock)
    yield from counted_changes(request.root, wanted)
    yield from kept_changes(request.root, wanted)
    for table in request.tables:
        change = table_change(table, wanted, request.id_column)
        if change is not None:
            yield change
    # what was read of another server's log; the log itself is that server's
    for path in sorted((request.root / CONVERTED).rglob("*.parquet")):
        change = table_change(path, wanted, "id")
        if change is not None:
            yield change
    for path in sorted((request.root / ASKED).rglob("*.parquet")):  # rows that people were asked to label
        change = table_change(path, wanted, PREDICTION_ID)
        if change is not None:
            yield change


def _apply(file: ReceiptFile, changes: Iterable[Change]) -> None:
    for change in changes:
        file.add(change.erased)
        change.apply()


def _erase_stored(url: str, wanted: WantedRows, file: ReceiptFile, now: datetime) -> list[Unreached]:
    words = (*wanted.ids, *(() if wanted.where is None else (wanted.where.value,)))

    def of_ids(ids: tuple[str, ...]) -> tuple[bool, ...]:
        return tuple(map(bool, wanted.of_ids(pa.array(ids, pa.string()))))

    try:
        with Store.open(url, make=False) as store:
            file.set_store(erase_rows(store, of_ids, words, now))
            left = rewrite(store)
            database = store.transactions.engine.url.database
            if store.transactions.engine.dialect.name == "sqlite" and database:
                left += store_remains(Path(database), wanted.ids)
    except (BadInput, CannotRun) as error:
        return [Unreached(what="store", why=f"{error.what} {error.got}", fix=error.fix)]
    return list(left)


def _erase_logged(root: Path, wanted: WantedRows, file: ReceiptFile, waiting: Waiting) -> list[Unreached]:
    """Erase the rows of segments and parts."""
    segments = open_segments(root, wanted)
    recover(root)
    until = waiting.elapsed() + waiting.seconds
    if waiting.seconds and (count := len(still_open(root, segments))):
        waiting.tell(f"Waiting for a running server to close {count} segment{'' if count == 1 else 's'} …")
    while still_open(root, segments) and waiting.elapsed() < until:
        waiting.sleep(_POLL_S)
        recover(root)
    left = still_open(root, segments)
    for segment in segments:
        if segment not in left:
            file.add(segment)
    try:
        _apply(file, part_changes(root, wanted))
    except CannotRun as error:
        return [*map(_left_open, left), Unreached(what="parts", why=f"{error.what} {error.got}", fix=error.fix)]
    return [*map(_left_open, left)]


def _left_open(segment: ErasedRows) -> Unreached:
    return Unreached(
        what=segment.file,
        why=f"a running process still writes it; {segment.removed} of its rows are to go",
        fix="Run the same command again once the process has closed it: a server of this release does so within a "
        "minute, and leaves the rows out; an older one when it is stopped.",
    )
