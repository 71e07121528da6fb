from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import explain
from monitoring.incidents.input_shift import InputShift
from monitoring.incidents.message import SURPRISE
from monitoring.records import WatchKey
from tests.monitoring.incidents.alarms import alarm, baseline, loss_sum, window, windows


def message(made: Alarm) -> str:
    return explain(made).message


def test_an_overconfident_model_is_told_from_harder_traffic() -> None:
    wrong = explain(alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.27])))
    assert wrong.cause == "the model is overconfident (surprise +0.270)"
    assert (
        "The expected Brier score fell by 0.020 and the realised one rose by 0.250, so surprise (realised minus "
        "expected loss, a calibration gap) rose by 0.270: the model is overconfident."
    ) in wrong.message
    harder = explain(alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.05])))
    assert harder.cause == "the traffic is harder (expected loss +0.200)"
    assert "the traffic is harder, and the model expected most of the rise." in harder.message
    assert harder.message.endswith("Next step: check whether this traffic is meant for this model.")


def test_a_ranking_loss_says_what_became_of_the_brier_score() -> None:
    made = explain(alarm("rank:late", windows(rank__late=[0.6], brier=[0.4], surprise_brier=[0.3])))
    assert made.cause.endswith("of class late rose from 0.250 to 0.600")
    assert "the realised one rose by 0.250" in made.message


def test_a_message_names_the_number_the_baseline_the_threshold_and_the_next_step() -> None:
    said = message(alarm("missing:z", windows(missing__z=[0.0, 0.2])))
    assert said == (
        "Missing values of z averaged 20.0 % over 1 window since 2 April 2013; baseline 0.0 % (standard deviation "
        "between windows 2.0 points, tolerance 1.0 points). The page evidence is 400 (threshold 365), and this watch "
        "contributes 75 % of it; next: predicted probability of class late. No input drifted since then "
        "(false discovery rate 5 %). Next step: check the pipeline that fills z."
    )


def test_one_window_is_singular() -> None:
    assert "over 1 window since" in message(alarm("missing:z", windows(missing__z=[0.2])))
    assert "over 2 windows since" in message(alarm("missing:z", windows(missing__z=[0.2, 0.2])))


@pytest.mark.parametrize("top", ["surprise_brier", "estimated_error"])
def test_surprise_is_defined_once_where_it_is_mentioned(top: str) -> None:
    name = top.replace(":", "__")
    said = message(alarm(top, windows(**{name: [0.3]}), against=baseline(without=["brier"])))
    assert said.count(SURPRISE) == (1 if top == "surprise_brier" else 0)


def test_a_cycle_is_named_with_the_baseline() -> None:
    said = message(alarm("brier", windows(brier=[0.4]), against=baseline(cycle="week")))
    assert "baseline 0.150 at the same time of the week" in said


def test_joint_drift_explains_its_scale_and_names_its_pairs() -> None:
    made = alarm("joint", windows(joint=[0.8]), pairs=(("x", "y\x1b"),))
    said = message(made)
    assert explain(made).cause == "joint input drift rose from 0.500 to 0.800"
    assert "0.5 is no drift, 1 is complete separation from the baseline." in said
    assert "Pairs whose joint distribution changed most: x with y\ufffd." in said
    assert said.endswith(
        "Next step: compare the inputs with the baseline, `pitfalls monitor report --window 2013-04-01`."
    )


def test_drift_of_an_embedding_is_called_so() -> None:
    made = alarm("embedding", windows(embedding=[0.8]))
    assert explain(made).cause == "embedding drift rose from 0.500 to 0.800"
    assert message(made).startswith("Embedding drift averaged 0.800")


def test_a_fall_is_no_rise() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.2]), notice={"input:x:location": 90.0})
    assert explain(made).cause == "location of x fell from 0.500 to 0.200"
    assert "0.5 is no shift." in message(made)
    assert "Inputs that drifted since then, largest change first (false discovery rate 5 %): x." in message(made)


@pytest.mark.parametrize(
    ("explained", "part"),
    [
        (
            {"x": 0.87},
            "what explains most of the rise first (false discovery rate 5 %): x. Part of the rise that would be gone",
        ),
        ({"x": 0.1}, "largest change first (false discovery rate 5 %): x. They explain little of the rise."),
    ],
)
def test_inputs_that_drifted_say_what_they_explain_of_a_loss(explained: dict[str, float], part: str) -> None:
    found = windows(brier=[0.4], input__x__location=[0.2])
    made = alarm("brier", found, notice={"input:x:location": 90.0})
    assert f"Inputs that drifted since then, {part}" in message(replace(made, explained=explained))


def test_a_label_coverage_gap_has_a_sign_in_points_and_says_what_it_is() -> None:
    said = message(alarm("labelled:score=high", windows(**{"labelled__score=high": [0.3]})))
    assert said.startswith("Label coverage gap at score = high averaged +30.0 points over 1 window")
    assert "the share of these rows among labelled rows minus their share among all rows: 0 is no gap." in said


def test_slices_are_decomposed_with_their_largest_parts() -> None:
    key = {part: WatchKey(watch="brier", slice=f"origin={part}") for part in ("EWR", "JFK")}
    losses = {WatchKey(watch="brier"): loss_sum(200, 0.1), **{one: loss_sum(100, 0.1) for one in key.values()}}
    found = [
        window(0, {"brier": 0.3, "surprise_brier": 0.2, "brier@origin=EWR": 0.5, "brier@origin=JFK": 0.1}, rows=50)
    ]
    said = message(alarm("brier", found, against=baseline(losses=losses)))
    assert "Over all labelled rows the Brier score changed by +" in said
    assert "by origin, +" in said
    assert "from the values' own losses (origin = EWR +" in said


@pytest.mark.parametrize(
    ("top", "step"),
    [
        ("brier", "if they are right, retrain or roll back."),
        ("estimated_error", "compare with the labels when they arrive"),
        ("unusable_answers", "check the model's outputs for NaN and unknown classes."),
        ("labelled:score=high", "check how these rows get their labels"),
        ("output:late", "compare the inputs with the baseline"),
    ],
)
def test_every_family_has_a_next_step(top: str, step: str) -> None:
    assert step in message(alarm(top, windows(**{top.replace(":", "__"): [0.4]}))).rpartition("Next step: ")[2]


def test_an_alarm_without_any_score_says_so() -> None:
    made = explain(alarm("missing:z", windows(missing__z=[None])))
    assert made.cause == "missing values of z changed"
    assert made.message.startswith("Missing values of z was not scored since 1 April 2013; baseline 0.0 %")


def test_a_shift_is_said_in_the_column_s_own_unit_first_and_on_the_quantile_scale_second() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.8]), notice={"input:x:location": 90.0})
    shifts = {"x": InputShift(what="median of x", before="38", now="51", rose=True)}
    cause = explain(made, lambda name, _: shifts.get(name))
    assert cause.cause == "median of x rose from 38 to 51"
    assert cause.message.startswith("Median of x 51 in this window, 38 in the baseline. Location of x averaged 0.800")
    assert "x (median 38 \N{RIGHTWARDS ARROW} 51)" in cause.message


def test_a_median_that_moved_the_other_way_is_not_said() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.8]))
    cause = explain(made, lambda _name, _: InputShift(what="median of x", before="51", now="38", rose=False))
    assert cause.cause == "location of x rose from 0.500 to 0.800"
