"""``pitfalls drill run`` and what `pitfalls drill list` has of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from monitoring.drills import drill
from monitoring.drills.faults.catalogue import faults_named
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

FEW = ("--windows", "2", "--replicates", "1", "--by", "ada")

ROUTE = """\
[[notify]]
route = "command"
command = ["sh", "-c", "cat >> {told}; echo >> {told}"]
level = "notice"
"""


def test_before_the_first_window_the_reference_is_replayed_and_a_missed_page_exits_with_1(
    deployed: Path, pitfalls: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    silence, stop = faults_named(["silence", "labels-stop"])
    monkeypatch.setattr(drill, "faults_named", lambda _: (silence, replace(stop, level="page")))
    config = deployed / "monitor.toml"
    config.write_text(config.read_text().replace('path = "traffic"\n', ""))
    config.write_text(config.read_text() + ROUTE.format(told=deployed / "told"))
    done = pitfalls("drill", "run", "--config", str(config), *FEW, "--notify")
    assert done.exit_code == 1, done.stderr
    assert "Route 1  command sh: delivered" in done.stdout
    assert (
        json.loads((deployed / "told").read_text())["event"]["kind"] == "test"
    )  # one document: the drill's own pages send none
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["traffic", "stops", "page", "1/1", "1", "1/1", "traffic", "volume"] in lines
    assert ["labels", "stop", "page", "0/1,", "missed"] in lines
    assert "drawn from 88 windows of the reference" in " ".join(done.stdout.split())
    assert "[2/3] traffic stops: page in window 1: traffic volume" in done.stderr
    listed = json.loads(pitfalls("drill", "list", "--config", str(config), "--json").stdout)
    [found] = listed["drills"]
    assert (found["by"], found["number"]) == ("ada", 1)
    assert [one["outcome"] for one in found["faults"]] == ["detected", "missed"]
    assert "1 of 2 faults detected; missed: labels stop." in pitfalls("drill", "list", "--config", str(config)).stdout


@pytest.mark.slow
def test_a_drill_of_which_nothing_is_missed_exits_with_0(
    deployed: Path, send: Callable[..., None], days: Any, pitfalls: Callable[..., Result]
) -> None:
    send(deployed, days(days=30))
    place = ("--config", str(deployed / "monitor.toml"))
    assert pitfalls("monitor", "run", *place).exit_code == 0
    done = pitfalls("drill", "run", *place, "--fault", "unit", "--fault", "labels-wrong-5", *FEW, "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["replayed"]["kind"] == "traffic"
    assert [one["outcome"] for one in document["faults"]] == ["detected", "too small"]


def test_wrong_input_is_refused(deployed: Path, pitfalls: Callable[..., Result]) -> None:
    nobody = pitfalls("drill", "run", "--config", str(deployed / "monitor.toml"), "--notify")
    assert nobody.exit_code == 2
    assert "There is no such route. Got no [[notify]] section" in nobody.stderr
    done = pitfalls("drill", "run", "--config", str(deployed / "monitor.toml"), "--fault", "storm")
    assert done.exit_code == 2
    assert "There is no such fault. Got storm" in done.stderr
