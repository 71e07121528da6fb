"""``pitfalls monitor leases``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import Result

from monitoring.config import load_config
from monitoring.store.store import Store
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]


def test_a_lease_that_is_held_refuses_a_run_and_can_be_ended(
    pitfalls: Callable[..., Result], deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=1))
    config = deployed / "monitor.toml"
    pitfalls("monitor", "run", "--config", config)
    assert pitfalls("monitor", "leases", "--config", config).stdout == "No lease is held.\n"
    with Store.open(load_config(config).store.url) as store:
        store.leases.take(1, "killed", datetime.now(UTC), 120)
    send(deployed, days(days=1, start=datetime(2013, 4, 2, tzinfo=UTC)))
    refused = pitfalls("monitor", "run", "--config", config)
    assert refused.exit_code == 3
    assert "pitfalls monitor leases --release" in refused.stderr
    assert "1  held by killed until " in pitfalls("monitor", "leases", "--config", config).stdout
    released = pitfalls("monitor", "leases", "--config", config, "--release", "1", "--json")
    assert json.loads(released.stdout) == {"leases": []}
    assert pitfalls("monitor", "leases", "--config", config, "--release", "1").exit_code == 2
    assert pitfalls("monitor", "run", "--config", config).exit_code == 0
