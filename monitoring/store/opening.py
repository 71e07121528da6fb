"""Opening a store: the engine, SQLite's ways of working, and everything that can be wrong with a URL."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from monitoring.errors import BadInput, CannotRun

#: How long a writer waits for another one, in seconds. A window's transaction takes milliseconds.
_BUSY_SECONDS = 30.0

#: Whether this system can say what the user may do whose rights are in force.
_EFFECTIVE = os.access in os.supports_effective_ids

#: A number of the project's own for PostgreSQL's advisory lock, held while the tables are made.
_MIGRATION_LOCK = 0x7069_7466

_FIX = "Mend the [store] url in monitor.toml, or let this user write there."


def open_engine(url: str, *, make: bool = True) -> Engine:
    """An engine on a store whose tables are those of this release: made or migrated here if they were not.

    Without `make` a file that is not there is BadInput, and one that this user may not write can be read nonetheless.
    Raises CannotRun if the URL names no store that can be used.
    """
    parsed = _parsed(url)
    shown = parsed.render_as_string(hide_password=True)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and not make and not Path(parsed.database or "").exists():
        raise BadInput(
            "Nothing was judged yet.",
            got=f"no store at {parsed.database}",
            expected="at least one run",
            fix="Run `pitfalls monitor run` first, or mend the [store] url of the config.",
        )
    read_only = is_sqlite and not make and not _writable(Path(parsed.database or ""))
    if is_sqlite and not read_only:
        _prepare_folder(parsed)
    try:
        if read_only:
            engine = create_engine(parsed, creator=partial(_reader, Path(parsed.database or "")), poolclass=NullPool)
        else:
            engine = create_engine(parsed, connect_args=_connect_args(parsed) if is_sqlite else {})
    except (NoSuchModuleError, ImportError) as error:
        raise CannotRun(
            "No driver for this kind of store is installed.",
            got=f"{shown} ({error})",
            expected="a driver that SQLAlchemy can load",
            fix="Install it, as pg8000 for postgresql+pg8000, or use sqlite:///FILE.",
        ) from error
    if is_sqlite:
        event.listen(engine, "connect", _set_up_reader if read_only else _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        _migrate(engine, shown if read_only else "")
    except SQLAlchemyError as error:
        engine.dispose()
        raise cannot_use(error, shown, _FIX) from error
    except CannotRun:
        engine.dispose()
        raise
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine, for transactions that write: SQLite then takes its write lock at the start.

    A transaction that reads first and wants to write later could not wait for its turn.
    """
    return engine.execution_options(pitfalls_writes=True)


def cannot_use(error: SQLAlchemyError, shown: str, fix: str) -> CannotRun:
    """A database's own error, as one that a person can read."""
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    return CannotRun("The store cannot be used.", got=f"{shown} ({cause})", expected="a working store", fix=fix)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CannotRun(
            "Not the URL of a store.", got=f"{len(url)} characters", expected="sqlite:///FILE, say", fix=_FIX
        ) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise CannotRun("A store in memory forgets.", got=url, expected="sqlite:/// and a file's path", fix=_FIX)
    return parsed


def _prepare_folder(url: URL) -> None:
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(
            "The store's folder cannot be made.",
            got=f"{folder} ({error.strerror})",
            expected="a folder that can be written",
            fix=_FIX,
        ) from error


def _writable(path: Path) -> bool:
    """Whether this user may write a store: its file, and in its folder those that SQLite puts beside it."""
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE) and os.access(
        path.parent, os.W_OK, effective_ids=_EFFECTIVE
    )


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Where no log of writes lies beside it, nobody is writing, and nothing is locked."""
    log = path.with_name(path.name + "-wal")
    still = "" if log.exists() else "&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{still}", uri=True, timeout=_BUSY_SECONDS, check_same_thread=False
    )


def _connect_args(url: URL) -> dict[str, Any]:
    return {} if "timeout" in url.query else {"timeout": _BUSY_SECONDS}


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Each connection: transactions by explicit BEGIN only, keys enforced, readers that do not wait for a writer.

    With a write-ahead log, `synchronous=NORMAL` keeps the store whole when power fails; the last windows may be lost
    then, together with their cursors, and are judged again to the same numbers.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _set_up_reader(connection: sqlite3.Connection, _record: object) -> None:
    """Each connection that only reads: transactions by explicit BEGIN only."""
    connection.isolation_level = None


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pitfalls_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine, read_only: str) -> None:
    """Bring the tables to this release's; of a store that is only read, which is then named, they have to be."""
    from monitoring.store import migrations  # noqa: PLC0415  # brings Alembic, which only opening needs

    with engine.begin() as connection:
        if migrations.is_current(connection):
            return
    if read_only:
        raise CannotRun(
            "The store is of an earlier release, and this user may not write it.",
            got=read_only,
            expected="a store of this release",
            fix="Run `pitfalls monitor run` as the user who writes it, which brings it up to date.",
        )
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        migrations.upgrade(connection)
