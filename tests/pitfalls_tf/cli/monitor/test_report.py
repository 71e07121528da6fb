"""``pitfalls monitor report``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_reports_are_written_and_the_window_is_checked(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=12))
    config, out = deployed / "monitor.toml", deployed / "report"
    pitfalls("monitor", "run", "--config", config)
    result = pitfalls("monitor", "report", "--config", config, "--out", out, "--no-drift", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert Path(document["page"]).read_text().startswith("<!doctype html>")
    assert Path(document["picture"]).read_bytes().startswith(b"\x89PNG")
    assert document["drift_html"] is None
    wrong = pitfalls("monitor", "report", "--config", config, "--out", out, "--window", "2012-01-01")
    assert wrong.exit_code == 2
    assert "a day from 2013-04-01 to 2013-04-12" in wrong.stderr
