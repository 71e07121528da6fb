"""A store as release 0.1.0 left it."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monitoring.store import Store, migrations
from monitoring.store.migrations import migration_context

DEPLOYMENT = """
INSERT INTO deployment (id, model, version, settings_digest, created_at, used_at, timezone, page_budget,
    page_threshold, notice_budget, notice_threshold, sensitivity, baseline)
VALUES ({id}, 'flights-eu', 1, 'digest-{id}', '2013-04-01 00:00:00.000000', '2013-04-01 00:00:00.000000', 'UTC',
    '1 per 365 windows', '0x1p+8', '1 per 30 windows', '0x1p+4', '[]', '[]')
"""
INCIDENT = """
INSERT INTO incident (deployment, number, level, state, opened_at, window_start, window_end, watch, slice, cause,
    message, recovery, told, tellings, told_at)
VALUES (1, {number}, 'page', 'open', '2013-04-0{number} 06:00:00.000000', '2013-04-01 00:00:00.000000',
    '2013-04-02 00:00:00.000000', 'error', '', 'cause', 'message', '', {rest})
"""
TIME = "'2013-04-09 00:00:00.000000'"


def earlier_store(url: str) -> None:
    """A store of 0.1.0 with four incidents: two pending, one notified, one given up."""
    engine = create_engine(url)
    script = ScriptDirectory(Path(migrations.__file__).parent)
    with engine.begin() as connection:
        context = migration_context(connection)
        with Operations.context(context):
            for revision in reversed(list(script.iterate_revisions("0007", "base"))):
                revision.module.upgrade()
                context.stamp(script, revision.revision)
        connection.exec_driver_sql(DEPLOYMENT.format(id=1))
        for number, rest in enumerate(
            ("""'["a"]', 3, NULL""", "'[]', 0, NULL", f"""'["a"]', 1, {TIME}""", f"'[]', 96, {TIME}"), start=1
        ):
            connection.exec_driver_sql(INCIDENT.format(number=number, rest=rest))
    engine.dispose()


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
