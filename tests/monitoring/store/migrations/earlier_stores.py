"""Stores as earlier versions left them, of each revision: `stores/REVISION.DATABASE.sql`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from monitoring.store import Store

STORES = Path(__file__).with_name("stores")


def earlier_store(url: str, revision: str = "0007") -> None:
    """A store of a revision, in an empty database.

    That of 0028 has rows in every table. Those before have four incidents: two of which are pending, one that
    everybody was notified of, and one that was given up.
    """
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript((STORES / f"revision_{revision}.sqlite.sql").read_text(encoding="utf-8"))
        return
    import psycopg

    with psycopg.connect(url.replace("+pg8000", "")) as server:
        server.execute((STORES / f"revision_{revision}.postgresql.sql").read_bytes())


def check_outbox(url: str) -> None:
    """What was pending stays pending, and nobody is notified twice."""
    with Store.open(url) as store:
        first, second = store.outbox.pending(1)
        assert (first.event, first.state, first.reached, first.attempts) == (
            "flights-eu/1/1/0",
            "open",
            frozenset({"a"}),
            3,
        )
        assert (second.event, second.state, second.attempts) == ("flights-eu/1/2/0", "open", 0)
        assert store.outbox.given_up(1) == ("flights-eu/1/4/0",)
        assert [one.number for one in store.incidents.read(1)] == [1, 2, 3, 4]
