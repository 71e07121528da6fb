"""Alembic revisions that migrate a store of any earlier release; they run when a store is opened.

There is no `env.py`, as no command line runs these: `upgrade` runs the revisions inside the transaction it is given.
"""

from __future__ import annotations

from functools import cache
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


@cache
def _script() -> tuple[ScriptDirectory, str | None, frozenset[str]]:
    """The revisions, the last of them, and all their names; their files are read once a process."""
    script = ScriptDirectory(Path(__file__).parent)
    return script, script.get_current_head(), frozenset(revision.revision for revision in script.walk_revisions())


def is_current(connection: Connection) -> bool:
    """Whether the store is at this code's revision. Raises CannotRun if it is at an unknown one. Changes nothing."""
    _, last, revisions = _script()
    heads = migration_context(connection).get_current_heads()
    if not revisions.issuperset(heads):
        newer = max(heads) > str(last)
        raise CannotRun(
            f"The store was written by {'a newer release' if newer else 'a version that was never released'}.",
            got=f"revision {', '.join(sorted(heads))}",
            expected=f"{last} or earlier" if newer else f"one of {', '.join(sorted(revisions))}",
            fix="Update this installation too, `pip install --upgrade pitfalls-tf` (or pitfalls-tf-monitor)."
            if newer
            else "Use another store.",
        )
    return heads == (last,)


def revision_of(connection: Connection) -> str | None:
    """The revision that the store is at; None where there are no tables yet."""
    return next(iter(migration_context(connection).get_current_heads()), None)


def latest() -> str:
    """This code's revision."""
    return str(_script()[1])


def upgrade(connection: Connection) -> None:
    """Migrate the store to this code's revision, inside the connection's transaction."""
    if is_current(connection):
        return
    script, last, _ = _script()
    context = migration_context(connection)
    current = context.get_current_heads()
    pending = list(script.iterate_revisions(last, current or "base"))
    with _ONE_AT_A_TIME, Operations.context(context):
        for revision in reversed(pending):
            revision.module.upgrade()
            context.stamp(script, revision.revision)
