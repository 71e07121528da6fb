"""The small deployment with a budget of labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_deployment import CONFIG, bundle, days, deploy, deployed, every_fit_is_kept, send

__all__ = ["bundle", "days", "deploy", "deployed", "every_fit_is_kept", "send"]


@pytest.fixture
def budgeted(deployed: Path) -> Path:
    """A deployment whose people label 50 rows a week, within four weeks each."""
    config = CONFIG.replace("[windows]", '[labels]\nbudget = "50 per week"\n[windows]\nlabel_horizon = "28d"')
    (deployed / "monitor.toml").write_text(config)
    return deployed
