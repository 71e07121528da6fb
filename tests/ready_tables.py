"""The tables of a new SQLite store as the migrations make them, which a process of tests has run once."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, column, insert, table

from monitoring.store import migrations

_MADE = "FROM sqlite_master WHERE sql IS NOT NULL"

#: What makes the tables, once a store has been made in this process.
_STATEMENTS: list[str] = []


def make_tables_at_once(patch: pytest.MonkeyPatch) -> None:
    """Make the tables of further new stores by the statements that those of the first one consist of."""
    migrate = migrations.upgrade

    def upgrade(connection: Connection) -> None:
        if connection.dialect.name != "sqlite" or connection.exec_driver_sql(f"SELECT 1 {_MADE}").first():
            migrate(connection)
        elif not _STATEMENTS:
            migrate(connection)
            _STATEMENTS.extend(connection.exec_driver_sql(f"SELECT sql {_MADE} ORDER BY type DESC").scalars())
        else:
            for statement in _STATEMENTS:
                connection.exec_driver_sql(statement)
            revision = insert(table(migrations.REVISION_TABLE, column("version_num")))
            connection.execute(revision.values(version_num=migrations.latest()))

    patch.setattr(migrations, "upgrade", upgrade)
