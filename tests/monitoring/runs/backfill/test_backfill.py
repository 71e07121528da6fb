"""Windows that came late are judged, and those that were judged without their rows are judged again."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig, RouteSection, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as fit
from monitoring.errors import BadInput
from monitoring.notifications.digest import Digest, Message
from monitoring.notifications.notification import Notification
from monitoring.notifications.routes.sending import Delivery
from monitoring.records import Only
from monitoring.runs.backfill import BackfillRequest, BackfillResult, WindowRange, backfill
from monitoring.runs.run import ExternalServices, run_due_windows
from monitoring.store.store import Store
from monitoring.watches.embedding import Embedder
from tests.small_deployment import table_of

APRIL = datetime(2013, 4, 1, tzinfo=UTC)
Send = Callable[..., None]


def day(number: int, hours: int = 0) -> datetime:
    return APRIL + timedelta(days=number, hours=hours)


#: The fit of the small deployment's baseline, which every test has.
FITS: dict[str, Deployment] = {}


def fitted(config: MonitorConfig, embedder: Embedder | None) -> Deployment:
    if "small" not in FITS:
        FITS["small"] = fit(config, embedder)
    return replace(FITS["small"], checkpoint_age=config.retention.checkpoints or config.windows.label_horizon)


class Setting:
    """A deployment, its store, and what its route was sent."""

    def __init__(self, folder: Path) -> None:
        self.config: MonitorConfig = load_config(folder / "monitor.toml")
        self.store = Store.open(self.config.store.url)
        self.sent: list[Message] = []

    def _services(self) -> ExternalServices:
        def send(message: Message, routes: Sequence[RouteSection]) -> list[Delivery]:
            self.sent.append(message)
            return [Delivery(receiver=route.receiver, shown="", ok=True, detail="") for route in routes]

        return ExternalServices(notify=send, deploy=fitted)

    def run(self, now: datetime) -> None:
        run_due_windows(self.config, self.store, clock=lambda: now, services=self._services())

    def backfill(
        self, start: int, end: int, *, now: datetime, only: Only | None = None, judging: int = 1000
    ) -> BackfillResult:
        stop = itertools.chain([False] * judging, [True])
        return backfill(
            self.config,
            self.store,
            BackfillRequest(
                windows=WindowRange(start=day(start), end=day(end), only=only, by="ada"), stop=lambda: next(stop, False)
            ),
            services=self._services(),
            clock=lambda: now,
        )


@pytest.fixture
def setting(deployed: Path) -> Iterator[Setting]:
    config = deployed / "monitor.toml"
    route = 'level = "notice"\nwebhook = "http://127.0.0.1:9/hook"\nstates = ["open", "worse", "closed"]\n'
    config.write_text(f"{config.read_text()}[[notify]]\n{route}")
    made = Setting(deployed)
    with made.store:
        yield made


def test_days_judged_without_their_rows_are_judged_again_as_if_these_had_been_there(
    deploy: Callable[[str], Path], setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    parts = [days(days=6), days(days=2, start=day(6), seed=8), days(days=2, start=day(8), seed=9)]
    for one in (parts[0], parts[2]):
        send(deployed, one)
    setting.run(day(10, 7))  # in time, but without the two days of an outage
    assert [one.rows for one in setting.store.windows.read(1)][5:9] == [60, 0, 0, 60]
    send(deployed, parts[1])
    found = setting.backfill(0, 10, now=day(10, 8), only="missing")
    assert [one.before.rows for one in found.revised] == [0, 0, 60, 60]
    assert [one.after.rows for one in found.revised if one.after] == [60] * 4
    assert found.backfill is not None
    assert (found.backfill.revised, found.backfill.until, found.backfill.ended_at) == (4, day(10), day(10, 8))
    whole = deploy("whole")
    for one in parts:
        send(whole, one)
    other = Setting(whole)
    with other.store:
        other.run(day(10, 8))
        assert other.store.windows.read(1) == setting.store.windows.read(1)
        assert other.store.deployments.states(1) == setting.store.deployments.states(1)
    assert setting.backfill(0, 10, now=day(10, 9), only="missing").backfill is None  # nothing is missing now
    setting.run(day(11, 7))  # the traffic is still followed: a day without rows is judged
    assert setting.store.windows.count(1) == 11


def test_a_backfill_that_changes_nothing_leaves_incidents_and_messages_as_they_were(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=17))
    send(deployed, days(days=5, start=day(17), seed=3, broken_from=0))
    setting.run(day(22, 7))
    setting.sent.clear()
    before, states = setting.store.incidents.read(1), setting.store.deployments.states(1)
    assert any(one.level == "page" and one.opened_at > day(16) for one in before)
    found = setting.backfill(16, 22, now=day(22, 8))
    assert found.run.judged == 6
    assert [one.before.page_log_evidence for one in found.revised] == [
        one.after.page_log_evidence for one in found.revised if one.after
    ]
    after = setting.store.incidents.read(1)
    assert [replace(one, actions=()) for one in after] == list(before)
    assert {action.kind for one in after for action in one.actions} == {"note"}
    assert setting.store.deployments.states(1) == states
    assert setting.sent == []
    setting.run(day(22, 9))
    assert setting.sent == []


def test_people_are_told_once_and_an_incident_that_opens_again_keeps_its_number(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=13))
    send(deployed, days(days=6, start=day(14), seed=3, broken_from=0))
    setting.run(day(20, 7))
    told = {one.incident.number for one in setting.sent if isinstance(one, Notification)}
    pages = [one for one in setting.store.incidents.read(1) if one.level == "page" and one.opened_at > day(14)]
    assert {one.number for one in pages} <= told
    setting.sent.clear()
    send(deployed, days(days=1, start=day(13), seed=5))
    found = setting.backfill(13, 14, now=day(20, 8), only="missing")
    assert found.run.judged == 7
    again = [one for one in setting.store.incidents.read(1) if one.level == "page" and one.opened_at > day(14)]
    assert [one.number for one in again] == [one.number for one in pages]
    assert [one.state for one in again] == ["open"]
    assert not [one for one in setting.sent if isinstance(one, Digest)]
    (action,) = setting.store.incidents.get(1, again[0].number).actions
    assert (action.by, action.text) == ("ada", "Windows from 2013-04-14 00:00 UTC on are judged again.")


def test_stopped_and_asked_again_it_goes_on_and_counts_once(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=5))
    setting.run(day(5, 7))
    first = setting.backfill(0, 2, now=day(5, 8), judging=2)  # from the first window on
    assert (first.run.judged, first.run.stopped) == (2, True)
    assert first.backfill is not None
    assert first.backfill.ended_at is None
    assert [one.after is None for one in first.revised] == [False, False, True, True, True]
    again = setting.backfill(0, 2, now=day(5, 9))
    assert (again.run.judged, len(again.revised)) == (3, 5)
    assert again.backfill == replace(first.backfill, ended_at=day(5, 9))
    assert len(setting.store.backfills.revisions(1)) == 5
    assert [one.attempts for one in setting.store.attempts.read(1)] == [2] * 5


def test_windows_that_were_never_judged_are_judged_as_far_as_the_range_goes(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=8))
    setting.run(day(3, 7))
    found = setting.backfill(0, 6, now=day(8, 7), only="missing")
    assert (found.run.judged, found.revised, setting.store.windows.count(1)) == (3, (), 6)
    assert setting.backfill(6, 8, now=day(8, 7), only="failed").backfill is None
    with pytest.raises(BadInput, match="evidence is judged in order"):
        setting.backfill(7, 8, now=day(8, 7))
    setting.run(day(8, 7))
    assert setting.store.windows.count(1) == 8


def test_a_window_that_failed_is_judged_by_a_backfill_of_what_failed(
    setting: Setting, deployed: Path, send: Send, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(deployed, days(days=4))
    setting.run(day(2, 7))
    label_log = deployed / "traffic" / "labels"
    label_log.rename(deployed / "away")
    with pytest.raises(Exception, match="label"):
        setting.run(day(4, 7))
    (deployed / "away").rename(label_log)
    assert setting.backfill(0, 4, now=day(4, 8), only="failed").run.judged == 2


def test_a_window_older_than_the_label_horizon_cannot_be_judged_again(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=9))
    setting.run(day(9, 7))
    with pytest.raises(BadInput, match=r"can no longer be judged again.*from 2013-04-03T00:00 UTC on"):
        setting.backfill(1, 6, now=day(9, 8))
    assert len(setting.store.runs.latest(1)) == 1  # what is refused is no run that failed
    assert setting.store.windows.count(1) == 9


def test_labels_later_than_the_horizon_count_where_checkpoints_are_kept_for_as_long(
    deployed: Path, send: Send, days: Any, tmp_path: Path
) -> None:
    config = deployed / "monitor.toml"
    config.write_text(config.read_text() + '[retention]\ncheckpoints = "20d"\n')
    late = days(days=16, broken_from=10)
    send(deployed, late, labels=False)
    setting = Setting(deployed)
    with setting.store:
        setting.run(day(16, 7))
        assert sum(one.labels for one in setting.store.windows.read(1)) == 0
        assert not [one for one in setting.store.incidents.read(1) if one.watch.startswith("surprise")]
        send(deployed, late, requests=False)
        found = setting.backfill(0, 16, now=day(16, 8))
        assert (found.run.judged, len(found.revised)) == (16, 16)
        labels = [one.labels for one in setting.store.windows.read(1)]
        assert sum(labels) == labels_of(late)
        opened = [one for one in found.run.opened if one.level == "page"]
        assert opened
        assert day(10) <= opened[0].window_start < day(14)


def labels_of(made: Any) -> int:
    """How many rows of some days have a label."""
    table = table_of(made)
    return int(table.num_rows - table["label"].null_count)


def test_rows_that_are_gone_are_missed_before_anything_is_put_back(
    setting: Setting, deployed: Path, send: Send, days: Any
) -> None:
    send(deployed, days(days=5))
    setting.run(day(5, 7))
    shutil.rmtree(deployed / "traffic" / "model=flights")
    before = setting.store.windows.read(1)
    with pytest.raises(BadInput, match=r"are gone\. Got 0 of 60 rows"):
        setting.backfill(3, 5, now=day(5, 8))
    assert setting.store.windows.read(1) == before
