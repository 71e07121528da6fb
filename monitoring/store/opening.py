"""Opening a store: the engine, SQLite's settings, and the errors of a URL."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from functools import cache, lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn
from urllib.parse import quote

from sqlalchemy import URL, Connection, Dialect, Engine, NullPool, Pool, QueuePool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from monitoring.errors import BadInput, CannotRun
from monitoring.store import migrations

#: Pages of an SQLite store that a connection keeps, in KB: enough for the scores of a deployment's page.
CACHE_KB = 16_384

#: Seconds that a writer waits for another one. A window's transaction takes milliseconds.
_BUSY_SECONDS = 30.0

#: Seconds between two attempts at giving a store its write-ahead log.
_RETRY_SECONDS = 0.01

#: Seconds that a PostgreSQL server may take to answer anything. Past that, it counts as away.
_ANSWER_SECONDS = 30.0

#: Whether this system can check the rights of the effective user.
_EFFECTIVE = os.access in os.supports_effective_ids

#: The name of our pools of connections in SQLAlchemy's log.
_POOL = "pitfalls"

#: The number of PostgreSQL's advisory lock that is held while tables are migrated.
_MIGRATION_LOCK = 0x7069_7466

#: Drivers with which the store's tests are run.
DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg", "postgresql+pg8000")

_FIX = "Correct the [store] url in monitor.toml, make the folder, or give this user write access."


def open_engine(url: str, *, make: bool = True) -> Engine:
    """Open an engine on a store, and bring its tables to this release where it may be made.

    Args:
        make: Whether to create a store that does not exist, and to migrate one of an earlier release. Without, a file
            that this user may not write is opened read-only.
    """
    engine = open_unmigrated(url, make=make)
    shown = shown_url(engine.url)
    try:
        _migrate(engine, shown, make=make)
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        engine.dispose()
        reject_store(error, shown, _FIX)
    except (BadInput, CannotRun):
        engine.dispose()
        raise
    return engine


def open_unmigrated(url: str, *, make: bool = False) -> Engine:
    """Open an engine on a store as it is; arguments and errors as of `open_engine`."""
    parsed = _parsed(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and not make and not Path(parsed.database or "").exists():
        raise _nothing_judged(parsed.database or "")
    read_only = is_sqlite and not make and not _writable(Path(parsed.database or ""))
    if is_sqlite and not read_only:
        _prepare_folder(parsed)
    if not is_sqlite:
        database = _postgresql(parsed, _ANSWER_SECONDS)
        return Engine(database.pool.recreate(), database.dialect, parsed, execution_options=_SHARED)
    # many stores may be open for reading at once: none of them keeps files open between two questions
    engine = _sqlite_engine(parsed, NullPool if read_only or not make else QueuePool, read_only=read_only)
    event.listen(engine, "connect", _set_up_reader if read_only else _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def store_revision(url: str) -> tuple[str, str]:
    """The revision of a store, and that of this release."""
    engine = open_unmigrated(url)
    try:
        with engine.begin() as connection:
            migrations.is_current(connection)
            return migrations.revision_of(connection) or "", migrations.latest()
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        reject_store(error, shown_url(engine.url), "Correct the [store] url in monitor.toml.")
    finally:
        engine.dispose()


@cache
def _sqlite_dialect() -> Dialect:
    """The dialect of all SQLite files, so that a statement is compiled once in a process."""
    engine = create_engine("sqlite://")
    engine.connect().close()  # asks SQLite what it can
    engine.dispose()
    return engine.dialect


#: Statements that were compiled for a dialect; a store's engine has a pool of its own, and shares the rest.
_COMPILED: dict[Any, Any] = {}
_SHARED = MappingProxyType({"compiled_cache": _COMPILED})


def _sqlite_engine(parsed: URL, pool: type[Pool], *, read_only: bool) -> Engine:
    dialect = _sqlite_dialect()
    connect: Callable[[], Any] = partial(_reader, Path(parsed.database or ""))
    if not read_only:
        arguments, settings = dialect.create_connect_args(parsed)
        timeout = {} if "timeout" in parsed.query else {"timeout": _BUSY_SECONDS}
        connect = partial(dialect.connect, *arguments, **settings, **timeout)
    return Engine(pool(connect, dialect=dialect), dialect, parsed, execution_options=_SHARED)


@lru_cache(maxsize=64)
def _postgresql(parsed: URL, answer_seconds: float) -> Engine:
    """The engine of a database whose dialect and pool those of its stores are made of.

    Raises:
        CannotRun: Its driver is not installed.
    """
    try:
        engine = create_engine(
            parsed, connect_args=_connect_args(parsed, answer_seconds), pool_pre_ping=True, pool_logging_name=_POOL
        )
    except ImportError as error:
        raise CannotRun(
            "No driver for this store is installed.",
            got=f"{shown_url(parsed)} ({error})",
            expected="the driver that the URL names",
            fix="Install it, pg8000 for postgresql+pg8000 or psycopg for postgresql+psycopg, or use sqlite:///FILE.",
        ) from error
    # it logs a traceback for each connection that a server has dropped; what fails is an error of ours
    logging.getLogger(f"{type(engine.pool).__module__}.{type(engine.pool).__name__}.{_POOL}").disabled = True
    if parsed.get_driver_name() == "psycopg":
        event.listen(engine, "do_connect", _connect_patiently)
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine, for transactions that write: SQLite then takes its write lock at the start.

    A transaction that reads first and writes later could not wait for another writer.
    """
    return engine.execution_options(pitfalls_writes=True)


def reject_store(error: SQLAlchemyError | ConnectionError | TimeoutError, shown: str, fix: str) -> NoReturn:
    """Convert a database's error to one of ours."""
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    raise CannotRun(
        "The store cannot be used.", got=f"{shown} ({cause})", expected="a working store", fix=fix
    ) from error


def shown_url(url: URL) -> str:
    """A store's URL for messages, without what may be a secret: its password and its query.

    >>> shown_url(make_url("postgresql://me:one@host/db?password=two&sslmode=require"))
    'postgresql://me:***@host/db?...'
    """
    return url.set(query={}).render_as_string(hide_password=True) + ("?..." if url.query else "")


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CannotRun(
            "Not the URL of a store.", got=f"{len(url)} characters", expected="for example sqlite:///FILE", fix=_FIX
        ) from error
    if parsed.drivername not in DRIVERS:
        raise CannotRun(
            "A store is kept in SQLite, or in PostgreSQL by the driver psycopg or pg8000.",
            got=shown_url(parsed),
            expected="sqlite:///FILE, postgresql+psycopg://… or postgresql+pg8000://…",
            fix=_FIX,
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise CannotRun(
            "An in-memory store is lost when the process ends.",
            got=shown_url(parsed),
            expected="sqlite:/// and a file's path",
            fix=_FIX,
        )
    return parsed


def _prepare_folder(url: URL) -> None:
    """Make the store's folder. Not those above: where they are gone, an empty store would take the place of one."""
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise CannotRun(
            "The store's folder cannot be created.",
            got=f"{folder} ({error.strerror})",
            expected="a folder that can be written, in one that exists",
            fix=_FIX,
        ) from error


def _writable(path: Path) -> bool:
    """Whether this user may write a store: its file, and SQLite's own files in its folder."""
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE) and os.access(
        path.parent, os.W_OK, effective_ids=_EFFECTIVE
    )


def _reader(path: Path) -> sqlite3.Connection:
    """A read-only connection; without a write-ahead log nobody is writing, and the file is opened as immutable."""
    log = path.with_name(path.name + "-wal")
    still = "" if log.exists() else "&immutable=1"
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro{still}", uri=True, timeout=_BUSY_SECONDS, check_same_thread=False
    )


def _connect_args(url: URL, answer_seconds: float) -> dict[str, Any]:
    """How long a connection waits for an answer of a PostgreSQL server."""
    driver = url.get_driver_name()
    if driver == "pg8000":
        return {"timeout": answer_seconds}
    if driver.startswith("psycopg") and "options" not in url.query:
        wait = round(1000 * answer_seconds)
        return {
            "connect_timeout": max(round(answer_seconds), 2),
            "tcp_user_timeout": wait,
            "options": f"-c statement_timeout={wait} -c extra_float_digits=1",
        }
    return {}


def _connect_patiently(_dialect: object, _record: object, arguments: list[str], settings: dict[str, Any]) -> object:
    """A connection of psycopg that gives up on a server that does not answer."""
    from monitoring.store.patient_connection import connect  # noqa: PLC0415 - brings psycopg, an extra

    settings.pop("connect_timeout", None)
    return connect(" ".join(arguments), _ANSWER_SECONDS, **settings)


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a connection: transactions by explicit BEGIN, foreign keys, readers that do not wait for a writer.

    With a write-ahead log, `synchronous=NORMAL` keeps the store consistent when power fails; the last windows may be
    lost with their cursors, and are judged again to the same numbers.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    _keep_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")


def _keep_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Give a store its write-ahead log; SQLite does not wait by itself where two processes give a new one its log."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _set_up_reader(connection: sqlite3.Connection, _record: object) -> None:
    """Set up a read-only connection: transactions by explicit BEGIN."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pitfalls_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: Engine, shown: str, *, make: bool) -> None:
    """Bring the tables to this release; what is opened for reading has to be current, and is left as it is."""
    with engine.begin() as connection:
        if migrations.is_current(connection):
            return
        revision = migrations.revision_of(connection)
    if not make:
        raise _nothing_judged(shown) if revision is None else _of_earlier_release(shown, revision, migrations.latest())
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        migrations.upgrade(connection)


def _of_earlier_release(shown: str, revision: str, latest: str) -> CannotRun:
    return CannotRun(
        "The store is of an earlier release, and looking at it does not change it.",
        got=f"{shown} at revision {revision}",
        expected=f"revision {latest}",
        fix="`pitfalls monitor migrate` migrates it, and so does `pitfalls monitor run`; monitors of the earlier "
        "release cannot use it from then on.",
    )


def _nothing_judged(where: str) -> BadInput:
    return BadInput(
        "No window has been judged yet.",
        got=f"no store at {where}",
        expected="at least one run",
        fix="Run `pitfalls monitor run` first, or correct the [store] url of the config.",
    )
