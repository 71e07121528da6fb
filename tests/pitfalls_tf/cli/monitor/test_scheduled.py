"""What the scheduler of `pitfalls monitor schedule` and `serve` does with one config, without a process of its own."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitoring.config.files import find_configs
from monitoring.service import service as scheduling
from monitoring.service.config_watch import ConfigWatch
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor import scheduled
from pitfalls_tf.cli.output import Output
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]


class Lines(Output):
    """An output that keeps its lines, and lets something be done at each."""

    def __init__(self, at: Callable[[str], None]) -> None:
        super().__init__(as_json=False, stdout=sys.stdout)
        self.lines: list[str] = []
        self._at = at

    def progress(self, text: str, **_: object) -> None:
        """Keep a line."""
        self.lines.append(text)
        self._at(text)


def test_a_config_is_evaluated_and_left_alone_while_nothing_is_due(
    deployed: Path, send: Callable[..., None], days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "LOOK_SECONDS", 0.02)
    send(deployed, days(days=3))
    stop = threading.Event()

    def at(line: str) -> None:
        if "Evaluated" in line:  # a changed config is run again; nothing that matters to a run has changed
            with (deployed / "monitor.toml").open("a") as file:
                file.write("# a remark\n")
        if "Scheduled" in line and any("Evaluated" in before for before in output.lines):
            stop.set()

    output = Lines(at)
    service = scheduled.service_of(ConfigWatch(lambda: find_configs(str(deployed))), output, concurrency=1)
    service.run(stop)
    assert [one.problem for one in service.files] == [""]
    assert all(re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ deployed/monitor\.toml: ", line) for line in output.lines)
    said = [line.partition("toml: ")[2] for line in output.lines]
    assert said[0] == "Scheduled: now, and at '15 * * * *' (UTC)."
    assert said[1].startswith("2013-04-01T00:00:00+00:00 ok (60 rows, ")
    assert said[4:] == ["Evaluated 3 windows.", "Scheduled: now, and at '15 * * * *' (UTC)."]
    with Store.open(f"sqlite:///{deployed / 'pitfalls.db'}") as store:
        assert store.windows.count(1) == 3
