"""``pitfalls monitor rebaseline``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

SAID = ("--from", "2013-04-03", "--to", "2013-04-23", "--reason", "new prices", "--by", "ada")


def test_a_log_is_rebaselined_told_of_and_undone(
    deployed: Path, send: Callable[..., None], days: Any, pitfalls: Callable[..., Result]
) -> None:
    send(deployed, days(days=24))
    config = deployed / "monitor.toml"
    place = ("--config", str(config))
    written = config.read_text()
    assert pitfalls("monitor", "run", *place).exit_code == 0
    done = json.loads(pitfalls("monitor", "rebaseline", *place, *SAID, "--json").stdout)
    assert (done["deployment"], done["rows"], done["since"]) == (1, 1200, "2013-04-25T00:00:00Z")
    assert "[baseline]\n# Made by" in config.read_text()
    assert 'path = "baseline-2013-04-25"\nversion = 1\nsince = 2013-04-25T00:00:00Z' in config.read_text()
    shown = " ".join(pitfalls("monitor", "status", *place).stdout.split())
    assert "Baseline: the traffic of 3 Apr" in shown
    assert "(ada: new prices)" in shown
    [change] = json.loads(pitfalls("monitor", "status", *place, "--json").stdout)["rebaselines"]
    assert (change["by"], change["window"]["end"]) == ("ada", "2013-04-23T00:00:00Z")
    assert "judged again by the next run" in pitfalls("monitor", "rebaseline", *place, "--undo").stdout
    assert config.read_text() == written


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "windows are not named"),
        (("--incident", "1"), "no store"),
        (("--from", "2013-04-03"), "got --from"),
        (("--undo", *SAID), "--undo takes no"),
    ],
)
def test_windows_are_named_and_undoing_takes_none(
    deployed: Path, pitfalls: Callable[..., Result], flags: tuple[str, ...], message: str
) -> None:
    result = pitfalls("monitor", "rebaseline", "--config", str(deployed / "monitor.toml"), *flags)
    assert (result.exit_code, message.lower() in result.stderr.lower()) == (2, True)
