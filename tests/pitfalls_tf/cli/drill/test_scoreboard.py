"""A drill's results on a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from pitfalls_tf.cli.drill.scoreboard import scoreboard
from tests.monitoring.store.test_drill_results import RECORD


def shown(width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    missed = replace(RECORD.faults[1], fault="labels-stop", title="labels stop", level="notice", promised=True)
    console.print(scoreboard(replace(RECORD, faults=(*RECORD.faults, missed))))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_says_what_was_told_when_and_what_was_named() -> None:
    lines = [line.split() for line in shown().splitlines()]
    assert ["number", "times", "100", "page", "1/1", "2", "0/1", "out", "of", "range"] in lines
    assert ["5", "%", "of", "labels", "wrong", "page", "0/1"] in lines
    assert ["labels", "stop", "notice", "0/1,", "missed"] in lines


def test_what_was_missed_left_out_or_too_small_is_said_below() -> None:
    text = " ".join(shown().split())
    assert "Smaller than what is detected within 30 windows: 5 % of labels wrong." in text
    assert "Missed: labels stop." in text
    assert "Left out: renamed category; it needs a category." in text
    assert "Without a fault: no page and 2 notices in 58 windows." in text


def test_a_narrow_terminal_has_one_line_a_fault_with_all_but_its_cause_whole() -> None:
    table = shown(width=58).split("\n\n")[0].splitlines()
    assert len(table) == 4
    assert table[1].split()[:6] == ["number", "times", "100", "page", "1/1", "2"]
    assert table[1].rstrip().endswith("…")
