"""The revisions of the store's tables: which one a store is at, and what brings it to this release's.

Opening a store migrates it, in the transaction of the opening; there is no `env.py`, as no command line does. Alembic
is loaded only where there are revisions to run.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, update

from monitoring.errors import CannotRun
from monitoring.store.migrations.conversion import FORMER, convert
from monitoring.store.tables import metadata

#: The table of the store's revision: a name of its own, as other programs may share the database.
REVISION_TABLE = "pitfalls_revision"

_FOLDER = Path(__file__).parent / "versions"

#: The revisions in order; the first is that of release 0.1.0.
REVISIONS = sorted(path.stem.removeprefix("revision_") for path in _FOLDER.glob("revision_*.py"))

#: Alembic's operations go by one global context: of a process's threads, one migrates at a time.
_ONE_AT_A_TIME = Lock()

_revision = Table(
    REVISION_TABLE,
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),  # the name that Alembic gives it
    Column("version_num", String(32), primary_key=True),
)


def latest() -> str:
    """This code's revision."""
    return REVISIONS[-1]


def revision_of(connection: Connection) -> str | None:
    """The revision that the store is at; None where there are no tables yet."""
    if not inspect(connection).has_table(REVISION_TABLE):
        return None
    revision: str | None = connection.execute(select(_revision.c.version_num)).scalar()
    return revision


def is_current(connection: Connection) -> bool:
    """Whether the store is at this code's revision. Raises CannotRun if it is at an unknown one. Changes nothing."""
    revision = revision_of(connection)
    if revision is not None and revision not in (*FORMER, *REVISIONS):
        newer = revision > latest()
        raise CannotRun(
            f"The store was written by {'a newer release' if newer else 'a version that was never released'}.",
            got=f"revision {revision}",
            expected=f"{latest()} or earlier" if newer else f"one of {', '.join((*FORMER, *REVISIONS))}",
            fix="Update this installation too, `pip install --upgrade pitfalls-tf` (or pitfalls-tf-monitor)."
            if newer
            else "Use another store.",
        )
    return revision == latest()


def upgrade(connection: Connection) -> None:
    """Bring the store to this code's revision, inside the connection's transaction."""
    if is_current(connection):
        return
    revision = revision_of(connection)
    if revision is None:
        metadata.create_all(connection, checkfirst=False)
        _revision.create(connection)
        connection.execute(insert(_revision).values(version_num=latest()))
    elif revision in FORMER:
        convert(connection)
        connection.execute(update(_revision).values(version_num=latest()))
    else:
        _run_revisions(connection, revision)


def _run_revisions(connection: Connection, revision: str) -> None:
    from alembic.operations import Operations  # noqa: PLC0415 - takes a fifth of a second, and most stores are current
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    script = ScriptDirectory(_FOLDER.parent)
    context = MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE})
    with _ONE_AT_A_TIME, Operations.context(context):
        for pending in reversed(list(script.iterate_revisions(latest(), revision))):
            pending.module.upgrade()
            context.stamp(script, pending.revision)
