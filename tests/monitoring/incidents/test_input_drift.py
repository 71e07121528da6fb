from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.input_drift import FALSE_DISCOVERY_RATE, discoveries, drifted_inputs, location_first
from monitoring.records import BaselineScore, WatchKey
from tests.monitoring.incidents.alarms import alarm, baseline, reading, watch, window, windows

NOTICE = {"input:x:location": 40.0, "input:x:spread": 50.0, "input:y:location": 300.0, "joint": 1000.0}


def test_the_input_that_moved_most_is_named_first_and_each_once() -> None:
    found = windows(
        brier=[0.4] * 3, input__x__location=[0.6] * 3, input__x__spread=[0.1] * 3, input__y__location=[0.3] * 3
    )
    moves = drifted_inputs(alarm("brier", found, notice=NOTICE))
    assert [move.input for move in moves] == ["y", "x"]
    assert moves[1].log_evidence == pytest.approx(np.log(50.0)), "of two that moved as far, the last by name"
    assert [move.change for move in moves] == pytest.approx([15.0, 5.0]), "standard deviations between windows"


def test_an_input_that_explains_the_loss_is_named_before_one_that_moved_farther() -> None:
    found = windows(brier=[0.4] * 3, input__x__location=[0.6] * 3, input__y__location=[0.3] * 3)
    made = alarm("brier", found, notice=NOTICE)
    for explained, order in (({"x": 0.9, "y": 0.1}, ["x", "y"]), ({"x": 0.2, "y": 0.1}, ["y", "x"]), ({}, ["y", "x"])):
        moves = drifted_inputs(replace(made, explained=explained))
        assert [move.input for move in moves] == order
        assert [move.explained for move in moves] == [explained.get(name) for name in order]


def test_an_input_at_its_baseline_is_not_named_whatever_its_evidence() -> None:
    found = windows(brier=[0.4] * 3, input__x__location=[0.51, 0.49, 0.505], input__y__location=[0.0] * 3)
    assert drifted_inputs(alarm("brier", found, notice=NOTICE)) == ()


def test_inputs_without_a_score_since_the_onset_are_not_named() -> None:
    assert drifted_inputs(alarm("brier", windows(brier=[0.4]), notice=NOTICE)) == ()


def test_of_inputs_that_did_not_move_few_are_named() -> None:
    """Forty innocent inputs and no other: in about one alarm of twenty any is named."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(400):
        p_values = {f"x{number}": float(value) for number, value in enumerate(rng.random(40))}
        named += bool(discoveries(p_values, FALSE_DISCOVERY_RATE))
    assert named / 400 <= 0.08


def test_discoveries_are_those_below_the_line_up_to_the_last_one_below_it() -> None:
    assert discoveries({}, 0.05) == ()
    assert discoveries({"a": 0.04, "b": 0.045, "c": 0.049}, 0.05) == ("a", "b", "c")


INPUTS = [f"x{number}" for number in range(40)]
KEYS = [WatchKey(watch=f"input:{name}:{kind}") for name in INPUTS for kind in ("location", "spread")]
DEVIATION = 0.02


def alarm_of_forty_inputs(rng: np.random.Generator, *, rise: float) -> Alarm:
    """A loss's alarm with five windows since the onset; the baseline knows its means and deviations from 90 windows.

    `rise` is that of the first input's location, in standard deviations between windows.
    """
    watches = {
        key.watch: watch(key.watch, "inputs", level="notice", direction="both", feature=key.watch.split(":")[1])
        for key in KEYS
    } | {"brier": watch("brier", "performance")}
    known = rng.normal(0.5, DEVIATION, (90, len(KEYS)))
    scores = {
        key: BaselineScore(
            level="notice",
            watch=key.watch,
            slice="",
            mean=float(values.mean()),
            deviation=float(values.std(ddof=1)),
            tolerance=0.0,
            windows=90,
        )
        for key, values in zip(KEYS, known.T, strict=True)
    }
    live = rng.normal(0.5, DEVIATION, (5, len(KEYS)))
    live[:, 0] += rise * DEVIATION
    found = tuple(
        window(day, {key.watch: float(value) for key, value in zip(KEYS, values, strict=True)})
        for day, values in enumerate(live)
    )
    return Alarm(
        reading=reading("page", {"brier": 400.0}),
        notice=reading("notice", {key.watch: 1.0 for key in KEYS}),
        windows=found,
        baseline=replace(baseline(), scores=scores, watches=watches, expected=lambda key, _: scores[key].mean),
    )


@pytest.mark.parametrize(("rise", "guilty", "innocent"), [(0.0, 0.0, 0.08), (3.0, 0.9, 0.05)])
def test_of_forty_inputs_the_guilty_one_is_named_first_and_an_innocent_one_hardly_ever(
    rise: float, guilty: float, innocent: float
) -> None:
    rng = np.random.default_rng(1)
    firsts = []
    for _ in range(50):
        named = drifted_inputs(alarm_of_forty_inputs(rng, rise=rise))
        firsts.append(named[0].input if named else "")
    assert firsts.count("x0") >= guilty * len(firsts)
    assert sum(first not in ("", "x0") for first in firsts) <= innocent * len(firsts)


def test_a_shift_that_alarms_by_its_spread_is_called_a_shift() -> None:
    def by_spread(location: float) -> Alarm:
        made = alarm("input:x:spread", windows(input__x__spread=[0.8] * 3, input__x__location=[location] * 3))
        shares = ((made.key, 0.9), (WatchKey(watch="input:x:location"), 0.1))
        return replace(made, reading=replace(made.reading, shares=shares))

    assert location_first(by_spread(0.9)).key.watch == "input:x:location"
    wider, loss = by_spread(0.5), alarm("brier", windows(brier=[0.4]))
    assert location_first(wider) is wider
    assert location_first(loss) is loss
