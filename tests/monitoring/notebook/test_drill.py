"""A drill in a notebook."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import monitoring
from monitoring import Monitor, drill_monitor
from monitoring.config import load_config
from monitoring.store.store import Store
from tests.own_table import OWN, REFERENCE, own_rows
from tests.small_deployment import Days

NOW = datetime(2013, 5, 12, tzinfo=UTC)


def test_a_drill_of_a_monitor_is_in_its_store(tmp_path: Path) -> None:
    said = {name: OWN[name] for name in ("event_time", "scores", "label", "label_time", "prediction_id")}
    small = {"windows": {"min_rows": 20}}
    monitor = Monitor.from_reference(
        own_rows(REFERENCE), out=tmp_path / "own", clock=lambda: NOW, settings=small, **said
    )
    live = own_rows(Days(days=2))  # none of it is judged yet: the reference is replayed
    found = drill_monitor(monitor, live, clock=lambda: NOW, faults=("silence",), windows=1, lead=8, replicates=1)
    assert (found.source, found.source_windows, found.sentence) == ("reference", 88, "1 of 1 faults detected.")
    with Store.open(load_config(monitor.config).store.url) as store:
        assert [one.sentence for one in store.drills.latest(found.name)] == [found.sentence]
    assert "drill_monitor" in monitoring.__all__
