from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth.slices import Days
from monitoring.config import load_config
from monitoring.deployment.deployment import deploy as load_deployment
from monitoring.tasks.task import ESTIMATED, loss_of


@pytest.mark.timeout(600)
def test_the_level_fitted_to_the_baseline_is_the_products_and_a_harm_raises_losses_only(deployed: Path) -> None:
    (deployed / "traffic").mkdir()
    config = load_config(deployed / "monitor.toml")
    page = load_deployment(config).reference_fit.tests["page"].paging()
    days = Days(config, ("origin",))
    level = days.level(range(len(days.sums)))
    assert level.shares == page.shares
    assert {key: test for key, test in level.tests.items() if key not in page.seasonality} == {
        key: test for key, test in page.tests.items() if key not in page.seasonality
    }
    moved = days.harmed(level, days.sums[0], 2.0)
    for key, test in level.tests.items():
        rise = moved[key].mean - days.sums[0][key].mean
        is_loss = not key.watch.startswith(ESTIMATED) and loss_of(key.watch) in {"error", "brier"}
        assert rise == pytest.approx(2.0 * test.std if is_loss else 0.0, abs=1e-9)
