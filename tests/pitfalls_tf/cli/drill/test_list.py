"""``pitfalls drill list``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from monitoring.drills.faults.catalogue import FAULTS
from tests.small_deployment import bundle, deploy, deployed

__all__ = ["bundle", "deploy", "deployed"]


def test_it_has_every_fault_and_says_how_to_run_the_first_drill(
    deployed: Path, pitfalls: Callable[..., Result]
) -> None:
    config = deployed / "monitor.toml"
    lines = pitfalls("drill", "list", "--config", str(config)).stdout.splitlines()
    assert lines[0] == "unit             page    multiplies one number input by 100; needs a number input that varies"
    assert lines[-1] == f"No drill was run yet: pitfalls drill run --config {config}"
    document = json.loads(pitfalls("drill", "list", "--config", str(config), "--json").stdout)
    assert [one["name"] for one in document["faults"]] == [fault.name for fault in FAULTS]
    assert document["drills"] == []
