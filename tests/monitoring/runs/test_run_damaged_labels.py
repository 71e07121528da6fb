"""Labels behind a damaged spot of their log are lost to the monitor, and it says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.config import load_config
from monitoring.inspection.status import status
from monitoring.records import MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store


def run(folder: Path) -> MonitorStatus:
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        done = run_due_windows(config, store, clock=lambda: datetime(2014, 1, 1, tzinfo=UTC))
        return status(store, "flights", done.deployment)


def test_a_spot_of_the_label_log_that_changed_is_told_with_the_first_window(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    for day in range(1, 6):  # a segment each, made into one below
        send(deployed, days(days=1, start=datetime(2013, 4, day, tzinfo=UTC)))
    segments = sorted((deployed / "traffic" / "labels").glob("*.arrows"))
    assert len(segments) == 5
    whole = run(deployed)
    assert not [one for window in whole.windows for one in window.findings if "label log" in one.kind]
    (deployed / "pitfalls.db").unlink()
    first = segments[0].read_bytes()
    head = first.index(b"\xff\xff\xff\xff", 8)  # where the schema ends
    joined = first + b"".join(path.read_bytes()[head:] for path in segments[1:])
    for path in segments[1:]:
        path.unlink()
    spot = len(first) + 64
    segments[0].write_bytes(joined[:spot] + b"\x77" * 64 + joined[spot + 64 :])
    found = run(deployed)
    (finding,) = [one for one in found.windows[0].findings if one.kind == "label log damaged"]
    assert finding.message.startswith(f"The label log is damaged: {len(joined) - len(first):,} bytes of ")
    assert found.coverage.labels < whole.coverage.labels / 2
