"""The SQL of runs that do not load SQLAlchemy is that of the tables."""

from __future__ import annotations

from pathlib import Path

from monitoring.store import idle_sql, idle_statements


def test_it_is_what_the_statements_beside_the_tables_say() -> None:
    text = Path(idle_sql.__file__).read_text(encoding="utf-8")
    assert text == idle_statements.text(), "write it again: make sql"
