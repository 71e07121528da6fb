"""Progress of a training without a terminal."""

from __future__ import annotations

import sys
from itertools import count

import pytest

from pitfalls_tf.cli.output import Output
from pitfalls_tf.cli.training_progress import training_progress


def test_shown_steps_are_lines_with_the_estimated_remaining_time(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = count()
    with training_progress(Output(as_json=False, stdout=sys.stdout), lambda: 10.0 * next(ticks)) as report:
        report(2, 10, "kept", shown=True)
        report(3, 10, "epoch 1", shown=False)
        report(4, 10, "seed 1", shown=True)
        report(10, 10, "model", shown=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    # The first line starts the clock; the next one is read 10 s later, after 2 of the 8 remaining steps.
    assert captured.err.splitlines() == ["2 of 10: kept", "4 of 10: seed 1, about 30 s left", "10 of 10: model"]


def test_long_times_are_in_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((0.0, 60.0))
    with training_progress(Output(as_json=False, stdout=sys.stdout), lambda: next(times)) as report:
        report(0, 4, "data", shown=False)
        report(1, 4, "seed 0", shown=True)
    assert capsys.readouterr().err == "1 of 4: seed 0, about 3 min left\n"
