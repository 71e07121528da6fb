"""Rows of a traffic log with their labels, as a baseline is made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitoring.baseline.folder import load_baseline, write_baseline
from monitoring.config import load_config
from monitoring.deployment.places import find_baseline
from monitoring.onboarding.rebaseline import live_reference
from monitoring.sources.traffic import open_traffic
from monitoring.traffic.windows import Window
from tests.small_deployment import LATER, LIVE, SPEC, table_of


def test_rows_of_a_log_have_their_labels(deployed: Path, send: Callable[..., None], days: Any) -> None:
    send(deployed, days(days=3))
    config = load_config(deployed / "monitor.toml")
    place = find_baseline(config)
    traffic = open_traffic(config, load_baseline(place.baseline), place.version, clock=lambda: LATER)
    window = Window(start=LIVE + timedelta(days=1), end=LIVE + timedelta(days=3))
    found = live_reference(traffic, window, SPEC, None)
    sent = table_of(days(days=3)).slice(60)
    assert found["prediction_id"].to_pylist() == sent["prediction_id"].to_pylist()
    assert found["label"].to_pylist() == sent["label"].to_pylist()
    assert found["label_time"].to_pylist() == sent["label_time"].to_pylist()
    write_baseline(found, folder=deployed / "new", spec=SPEC)
    assert load_baseline(deployed / "new").profile.rows == 120
