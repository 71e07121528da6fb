"""A store as releases before the outbox of events left it."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from monitoring.store import Store, migrations
from monitoring.store.migrations import migration_context

DEPLOYMENT = """
INSERT INTO deployment (id, model, version, settings_digest, created_at, used_at, timezone, page_budget,
    page_threshold, notice_budget, notice_threshold, sensitivity, baseline, name)
VALUES ({id}, 'flights', 1, 'digest-{id}', '2013-04-01 00:00:00.000000', '2013-04-01 00:00:00.000000', 'UTC',
    '1 per 365 windows', '0x1p+8', '1 per 30 windows', '0x1p+4', '[]', '[]', '{name}')
"""
INCIDENT = """
INSERT INTO incident (deployment, number, level, state, opened_at, window_start, window_end, watch, slice, cause,
    message, recovery, told, tellings, told_at, history, given_up_at)
VALUES (1, {number}, 'page', 'open', '2013-04-0{number} 06:00:00.000000', '2013-04-01 00:00:00.000000',
    '2013-04-02 00:00:00.000000', 'error', '', 'cause', 'message', '', {rest})
"""
OPEN = '[["2013-04-01T06:00:00+00:00", "open"]'
TIME = "'2013-04-09 00:00:00.000000'"


def earlier_store(url: str) -> None:
    """A store of revision 0014 with four incidents: pending, pending after it became worse, notified, given up."""
    engine = create_engine(url)
    script = ScriptDirectory(Path(migrations.__file__).parent)
    with engine.begin() as connection:
        context = migration_context(connection)
        with Operations.context(context):
            for revision in reversed(list(script.iterate_revisions("0014", "base"))):
                revision.module.upgrade()
                context.stamp(script, revision.revision)
        connection.exec_driver_sql(DEPLOYMENT.format(id=1, name="flights-eu"))
        for number, rest in enumerate(
            (
                f"""'["a"]', 3, NULL, '{OPEN}]', NULL""",
                f"""'[]', 0, NULL, '{OPEN}, ["2013-04-03T06:00:00+00:00", "worse"]]', NULL""",
                f"""'["a"]', 1, {TIME}, '{OPEN}]', NULL""",
                f"""'[]', 96, NULL, '{OPEN}]', {TIME}""",
            ),
            start=1,
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
        assert (second.event, second.state, second.attempts) == ("flights-eu/1/2/1", "worse", 0)
        assert second.incidents[0].history[-1].state == "worse"
        assert store.outbox.given_up(1) == ("flights-eu/1/4/0",)
        assert [one.number for one in store.incidents.read(1)] == [1, 2, 3, 4]
