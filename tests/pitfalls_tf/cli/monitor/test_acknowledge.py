"""``pitfalls monitor acknowledge``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_an_incident_is_acknowledged_by_its_number(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=20, broken_from=8))
    config = deployed / "monitor.toml"
    pitfalls("monitor", "run", "--config", config)
    found = json.loads(pitfalls("monitor", "status", "--config", config, "--json").stdout)
    page = next(i for i in found["incidents"] if i["level"] == "page")
    result = pitfalls("monitor", "acknowledge", str(page["id"]), "--config", config, "--json")
    assert json.loads(result.stdout) == {"id": page["id"], "state": "acknowledged"}
    missing = pitfalls("monitor", "acknowledge", "99", "--config", config)
    assert missing.exit_code == 2
    assert "99" in missing.stderr
    for number in (2**31 - 1, 2**31, 2**63, 10**23):
        missing = pitfalls("monitor", "acknowledge", str(number), "--config", config)
        assert (missing.exit_code, missing.stdout, str(number) in missing.stderr) == (2, "", True)
