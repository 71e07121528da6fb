"""What is simulated of a fit is the same each time, and simulated once in a process."""

from __future__ import annotations

from pathlib import Path

from monitoring.config import load_config
from monitoring.deployment.deployment import deploy
from monitoring.fits.simulations import initial_level, simulated_sensitivity
from monitoring.records import LEVELS


def test_a_level_begins_in_the_same_way_each_time(deployed: Path) -> None:
    fit = deploy(load_config(deployed / "monitor.toml")).reference_fit
    for level in LEVELS:
        assert initial_level(fit, level).to_text() == initial_level(fit, level).to_text()
    found = simulated_sensitivity(fit, fit.tests["page"], 0.0)
    assert {each.metric for each in found} == {"error", "brier"}
    assert simulated_sensitivity(fit, fit.tests["page"], 0.0) is found
