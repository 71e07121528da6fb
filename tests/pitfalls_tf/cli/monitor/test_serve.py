"""``pitfalls monitor serve``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.monitor_service import served
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]

CONFIG = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--configs"),
        (["--configs", "none/*.toml"], "There is no config"),
        (["--configs", ".", "--concurrency", "0"], "--concurrency"),
        (["--configs", ".", "--host", "0.0.0.0"], "needs a token"),  # noqa: S104 - refused
    ],
)
def test_wrong_arguments_are_refused_before_anything_runs(
    pitfalls: Pitfalls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    result = pitfalls("monitor", "serve", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["monitor.toml"]


@pytest.mark.slow
def test_configs_are_added_broken_and_removed_while_it_serves_and_sigterm_stops_it(
    pitfalls: Pitfalls, deploy: Callable[[str], Path], send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    first, state = deploy("first"), ("--state", tmp_path.parent / f"{tmp_path.name}.state")
    send(first, days(days=2))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "monitor.toml").write_text(CONFIG.replace("path =", "paths ="))
    with served(tmp_path) as service:
        service.wait_for("first/monitor.toml: Evaluated 2 windows.")
        service.wait_for("other/monitor.toml: The config is wrong")
        assert service.get("health/live").text == "ok\n"
        assert service.get("health/ready").text == "ok\n"
        assert 'pitfalls_failing_config{config="other/monitor.toml"} 1.0' in service.get("metrics").text
        assert "other/monitor.toml" in service.get("").text

        second = deploy("second")
        send(second, days(days=3, broken_from=0))
        service.wait_for("second/monitor.toml: Evaluated 3 windows.")
        assert service.get("tables/overview.csv").text.count("flights") == 2

        config = second / "monitor.toml"
        right = config.read_text()
        config.write_text(right + "[budget]\npage = 7\n")
        service.wait_for("second/monitor.toml: The config is wrong", "It runs as it was before.")
        assert 'pitfalls_failing_config{config="second/monitor.toml"} 1.0' in service.get("metrics").text
        config.write_text(right)
        (tmp_path / "other" / "monitor.toml").unlink()
        service.wait_for("other/monitor.toml: Missing")
        assert pitfalls("monitor", "remove", "--configs", tmp_path, "other/monitor.toml", *state).exit_code == 0
        service.wait_for("other/monitor.toml: Removed on purpose")
        service.wait_until(lambda: "pitfalls_failing_config{" not in service.get("metrics").text)
        assert service.get("health/ready").text == "ok\n"

        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 15
        assert not any("Traceback" in line for line in service.lines)
