from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth.flights import FlightsTruth, Sizes
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy as load_deployment


@pytest.fixture
def measured(deployed: Path) -> FlightsTruth:
    """Measurements on a small deployment instead of the flights."""
    (deployed / "traffic").mkdir()
    config = load_config(deployed / "monitor.toml")
    return FlightsTruth(load_deployment(config), Sizes(seeds=20, years=1, baselines=2, streams=3), 1)


@pytest.mark.slow
def test_every_table_has_its_rows(measured: FlightsTruth) -> None:
    pages = measured.page_table()
    assert len(pages.rows) == 6
    assert all(0.0 <= row[2] <= 1.0 for row in pages.rows if isinstance(row[2], float))
    assert [row[0] for row in measured.notice_table().rows] == ["single days", "7-day blocks"]
    delays = {str(row[0]): row[2:5] for row in measured.delay_table("single days").rows}
    shipped = next(row for name, row in delays.items() if name.endswith("as shipped"))
    small, middle, large = (float(str(cell)) for cell in shipped)
    assert small >= middle >= large >= 1.0
    assert [row[:2] for row in measured.harm_table().rows][:1] == [("at once, everywhere", "single days")]
    rules = {(row[0], row[1]): row[4] for row in measured.rules_table().rows}
    assert rules["Brier above mean + 3 SD", "single days"] is not None
