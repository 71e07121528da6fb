"""Traffic that stops is told where it was followed as it came, and reads "Healthy" nowhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.records import IncidentRecord, MonitorStatus
from monitoring.reports.sections.headline import headline
from monitoring.runs.run import RunResult, run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store

LATER = datetime(2026, 11, 26, tzinfo=UTC)


def run(folder: Path, now: datetime) -> tuple[RunResult, MonitorStatus]:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: now)
        return done, status(store, "flights", done.deployment, now=now)


def outage(found: MonitorStatus) -> IncidentRecord:
    """The page of traffic that stopped."""
    return next(one for one in found.incidents if (one.level, incident_text(one).cause) == ("page", "traffic volume"))


def test_traffic_that_stops_pages_and_what_starts_again_closes_it(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=16))
    assert run(deployed, datetime(2013, 4, 17, 7, tzinfo=UTC))[0].judged == 16
    assert run(deployed, datetime(2013, 4, 17, 8, tzinfo=UTC))[0].judged == 0
    done, found = run(deployed, datetime(2013, 4, 19, 7, tzinfo=UTC))
    assert (done.judged, [window.rows for window in found.windows[-2:]]) == (2, [0, 0])
    [page] = [one for one in done.opened if incident_text(one).cause == "traffic volume"]
    assert incident_text(page).message.startswith("Traffic volume: no rows arrived; 60 are usual for this window.")
    send(deployed, days(days=4, start=datetime(2013, 4, 19, tzinfo=UTC)))
    _, found = run(deployed, datetime(2013, 4, 23, 7, tzinfo=UTC))
    assert next(one for one in found.incidents if one.number == page.number).state == "closed"


def test_traffic_that_had_stopped_when_a_setting_was_changed_is_still_an_outage(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=16))
    run(deployed, datetime(2013, 4, 17, 8, tzinfo=UTC))
    assert outage(run(deployed, datetime(2013, 4, 19, 7, tzinfo=UTC))[1]).state == "open"
    config = deployed / "monitor.toml"
    config.write_text(config.read_text() + "\n[tolerance]\nerror = 0.03\n")
    done, found = run(deployed, datetime(2013, 4, 20, 7, tzinfo=UTC))
    assert done.follows == 1
    assert outage(found).state == "open"


def test_a_table_of_the_past_has_no_windows_after_its_last_row_and_does_not_read_healthy(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=10))
    run(deployed, LATER)
    done, found = run(deployed, LATER)
    assert (done.judged, len(found.windows)) == (0, 10)
    said = headline(found)
    assert said.verdict == "No page in 10 windows, but no traffic since 11 Apr 2013"
    assert not said.health.healthy
