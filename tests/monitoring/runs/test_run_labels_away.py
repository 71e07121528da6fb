"""A label log that is away for one run is an error of that run, and its labels are counted once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.errors import CannotRun
from monitoring.inspection.status import status
from monitoring.runs.run import NO_SERVICES, ExternalServices, run_due_windows
from monitoring.store.store import Store


def run(folder: Path, day: int, services: ExternalServices = NO_SERVICES) -> list[int]:
    """Labels by window, after a run on that day of April."""
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        now = datetime(2013, 4, day, 7, tzinfo=UTC)
        done = run_due_windows(config, store, clock=lambda: now, services=services)
        return [window.labels for window in status(store, "flights", done.deployment).windows]


def test_the_labels_of_a_log_that_was_away_are_counted_once(
    deploy: Callable[[str], Path], send: Callable[..., None], days: Any
) -> None:
    whole, folder = deploy("whole"), deploy("away")
    for one in (whole, folder):
        send(one, days(days=6))
    run(folder, 4)
    labels = folder / "traffic" / "labels"
    labels.rename(folder / "elsewhere")
    with pytest.raises(CannotRun, match=r"The label log is not whole\..*--new-label-log"):
        run(folder, 5)
    (folder / "elsewhere").rename(labels)
    run(folder, 5)
    assert run(folder, 7) == run(whole, 7)


def test_a_segment_that_was_away_is_missed_too(deployed: Path, send: Callable[..., None], days: Any) -> None:
    for day in (1, 2):
        send(deployed, days(days=1, start=datetime(2013, 4, day, tzinfo=UTC)))
    assert sum(run(deployed, 3)) > 100
    first, _ = sorted((deployed / "traffic" / "labels").glob("*.arrows"))
    first.rename(deployed / "elsewhere")
    send(deployed, days(days=1, start=datetime(2013, 4, 3, tzinfo=UTC)), labels=False)
    with pytest.raises(CannotRun, match="Got 60 labels; expected the 120 labels"):
        run(deployed, 4)


def test_after_a_loss_for_good_a_new_log_is_read_from_its_beginning(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    run(deployed, 3)
    (deployed / "traffic" / "labels").rename(deployed / "lost")
    send(deployed, days(days=1, start=datetime(2013, 4, 3, tzinfo=UTC)))
    with pytest.raises(CannotRun, match="The label log is not whole"):
        run(deployed, 4)
    counted = run(deployed, 4, ExternalServices(labels_anew=True))
    assert counted[2] > 40
