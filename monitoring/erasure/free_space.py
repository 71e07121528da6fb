"""Rewrites a store without what it has deleted: its free pages and its write-ahead log hold rows until then."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from monitoring.erasure.change import Unreached
from monitoring.erasure.store_rows import ERASED_TABLES
from monitoring.store.store import Store

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
