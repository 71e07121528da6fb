"""The new normal, as an operator makes it: a benign shift pages, and what comes after it is judged against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.inspection.status import status
from monitoring.onboarding.rebaseline import NewNormal, RebaselineResult, rebaseline, undo_rebaseline
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from tests.own_table import own_rows
from tests.small_deployment import LIVE, Days

#: The loss rises from this day on, and stays there; from `HARM` on the model is wrong.
SHIFT, ASKED, HARM, END = 8, 30, 34, 61
SAID = NewNormal(
    start=LIVE + timedelta(days=SHIFT), end=LIVE + timedelta(days=ASKED), since=None, reason="new prices", by="ada"
)


def rows(first: int, last: int) -> pa.Table:
    """Days of traffic, from one to before another."""
    parts = []
    for begin, end, part in ((0, SHIFT, 0.0), (SHIFT, HARM, 0.4), (HARM, 99, 1.0)):
        days = min(end, last) - max(begin, first)
        if days > 0:
            start = LIVE + timedelta(days=max(begin, first))
            parts.append(
                own_rows(Days(days=days, start=start, broken_from=0, broken_part=part, seed=max(begin, first)))
            )
    return pa.concat_tables(parts)


def after(day: int) -> datetime:
    """When the window that ends before a day is due."""
    return LIVE + timedelta(days=day, hours=7)


def judge(path: Path, day: int) -> MonitorStatus:
    config = load_config(path)
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: after(day))
        return status(store, config.name, done.deployment)


def stored(path: Path) -> MonitorStatus:
    config = load_config(path)
    with Store.open(config.store.url) as store:
        return status(store, config.name)


def new_normal(path: Path, said: NewNormal = SAID) -> RebaselineResult:
    return rebaseline(path, load_config(path), said, clock=lambda: after(ASKED))


def send(config: Path, first: int, last: int) -> None:
    """Write days of traffic."""
    pq.write_table(rows(first, last), config.parent.parent / "live" / f"{first}.parquet")


def open_pages(found: MonitorStatus) -> list[int]:
    return [one.number for one in found.incidents if one.level == "page" and one.state != "closed"]


def test_the_new_normal_is_judged_from_then_on_and_can_be_undone(config: Path) -> None:
    written, before = config.read_text(), stored(config)
    assert len(open_pages(before)) == 1
    done = new_normal(config)
    assert (done.rows, done.since) == (60 * (ASKED - SHIFT), SAID.end)
    assert done.closed == tuple(one.number for one in before.incidents if one.state != "closed")
    assert config.read_text().startswith(written.rstrip())  # hand-made settings stay
    send(config, ASKED, HARM)
    calm = judge(config, HARM)
    assert calm.windows[:ASKED] == before.windows
    assert (len(calm.windows), open_pages(calm)) == (HARM, [])
    closed = next(one for one in calm.incidents if one.number == done.closed[0])
    assert [(one.kind, one.by, one.text) for one in closed.actions] == [("close", "ada", "New baseline: new prices")]
    send(config, HARM, END)
    harmed = judge(config, END)
    [page] = open_pages(harmed)
    assert page not in done.closed
    undone = undo_rebaseline(config, by="bob", clock=lambda: after(END))
    assert (undone.undone_by, undone.closed, config.read_text()) == ("bob", done.closed, written)
    again = judge(config, END)
    assert (again.windows[:ASKED], len(again.windows)) == (before.windows, END)
    assert done.closed[0] in open_pages(again)
    assert page not in open_pages(again)


def test_a_run_that_has_the_former_config_is_refused_until_it_is_undone(config: Path) -> None:
    former = config.read_text()
    new_normal(config)
    changed = config.read_text()
    config.write_text(former)
    with pytest.raises(BadInput, match=r"newer baseline than this config.*by ada.*--undo"):
        judge(config, ASKED)
    config.write_text(changed)
    assert judge(config, ASKED).windows == stored(config).windows
    undo_rebaseline(config, by="bob", clock=lambda: after(ASKED))
    with pytest.raises(BadInput, match="no new baseline to undo"):
        undo_rebaseline(config, by="bob", clock=lambda: after(ASKED))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (replace(SAID, reason=" "), "needs a reason"),
        (replace(SAID, end=SAID.start), "no windows to make a baseline of"),
        (replace(SAID, end=datetime(2099, 1, 1, tzinfo=UTC)), "an end that is past"),
        (replace(SAID, start=LIVE - timedelta(days=9), end=LIVE - timedelta(days=1)), "no rows there"),
        (replace(SAID, end=SAID.start + timedelta(days=2)), "baseline is too short"),
        (replace(SAID, since=SAID.end - timedelta(days=1)), "judged against it after that end"),
        (
            replace(SAID, end=SAID.end - timedelta(days=5), since=SAID.end - timedelta(days=5)),
            "Windows are judged once",
        ),
    ],
)
def test_what_makes_no_baseline_changes_nothing(config: Path, said: NewNormal, message: str) -> None:
    before = sorted(config.parent.iterdir()), config.read_text(), stored(config)
    with pytest.raises(BadInput, match=message):
        new_normal(config, said)
    assert (sorted(config.parent.iterdir()), config.read_text(), stored(config)) == before
