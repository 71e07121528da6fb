"""Alembic revisions that migrate a store of any earlier release; they run when a store is opened.

There is no `env.py`, as no command line runs these: `upgrade` runs the revisions inside the transaction it is given.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from monitoring.errors import CannotRun

#: The table of Alembic's revision: a name of its own, as other programs may share the database.
REVISION_TABLE = "pitfalls_revision"

#: Alembic's operations go by one global context: of a process's threads, one migrates at a time.
_ONE_AT_A_TIME = Lock()


def migration_context(connection: Connection) -> MigrationContext:
    """Alembic's context of a store, with the project's own revision table."""
    return MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})


def is_current(connection: Connection) -> bool:
    """Whether the store is at this code's revision. Raises CannotRun if it is at a newer one. Changes nothing."""
    script = ScriptDirectory(Path(__file__).parent)
    heads = migration_context(connection).get_current_heads()
    known = {revision.revision for revision in script.walk_revisions()}
    if not known.issuperset(heads):
        raise CannotRun(
            "The store was written by a newer release.",
            got=f"revision {', '.join(sorted(heads))}",
            expected=f"{script.get_current_head()} or earlier",
            fix="Install that release, or use another store.",
        )
    return heads == (script.get_current_head(),)


def upgrade(connection: Connection) -> None:
    """Migrate the store to this code's revision, inside the connection's transaction."""
    if is_current(connection):
        return
    script = ScriptDirectory(Path(__file__).parent)
    context = migration_context(connection)
    current = context.get_current_heads()
    pending = list(script.iterate_revisions(script.get_current_head(), current or "base"))
    with _ONE_AT_A_TIME, Operations.context(context):
        for revision in reversed(pending):
            revision.module.upgrade()
            context.stamp(script, revision.revision)
