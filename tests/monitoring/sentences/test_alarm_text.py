from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from monitoring.incidents.alarm import Alarm
from monitoring.incidents.cause import explain
from monitoring.incidents.harm import HARDER_TRAFFIC
from monitoring.records import BinnedNumber, Finding, InputShift, MeasuredMetric, WatchKey
from monitoring.records.window import BATCH
from monitoring.watches.label_delays import delay_counts
from tests.monitoring.incidents.alarms import alarm, baseline, loss_sum, said, window, windows


def shifted(before: float, now: float) -> InputShift:
    return InputShift(
        input="x",
        what="median",
        before=(BinnedNumber(value=before),),
        now=(BinnedNumber(value=now),),
        rose=now > before,
    )


def message(made: Alarm) -> str:
    return said(explain(made)).message


def test_the_first_sentence_is_in_the_metric_of_the_user_then_comes_what_proved_it() -> None:
    wrong = explain(alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.27], error=[0.2, 0.55])))
    headline = (
        "Error rate 20 \N{RIGHTWARDS ARROW} 55 %, Brier score 0.150 \N{RIGHTWARDS ARROW} 0.400 since 2 April 2013"
    )
    assert said(wrong).cause == f"{headline} (100 rows): the model is overconfident"
    assert said(wrong).message == (
        f"{headline} (100 rows). Of the change of the Brier score by +0.250 the model's own probabilities explain "
        "\N{MINUS SIGN}0.020 and leave +0.270 unexplained: the model is overconfident. No input moved since "
        "then (false discovery rate 5 %). How sure it is: evidence 400 (page threshold 365), 75 % of it from the Brier "
        "score. Next step: check the labels of its rows (`pitfalls monitor status --json`); if they are right, retrain "
        "or roll back."
    )


def test_harder_traffic_is_told_from_an_overconfident_model() -> None:
    found = windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.05], input__x__location=[0.5, 0.8])
    harder = explain(alarm("brier", found))
    assert said(harder).cause.endswith(" 0.400 since 2 April 2013 (100 rows): the traffic is harder")
    assert (
        "Of this the model's own probabilities explain +0.200 and leave +0.050 unexplained: the traffic is harder."
    ) in said(harder).message
    assert said(harder).message.endswith("Next step: check whether this traffic is meant for this model.")
    unsure = explain(alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.05])))
    assert "harder" not in said(unsure).cause + said(unsure).message, "no input moved"
    assert said(unsure).cause.endswith(": the answers let expect most of it, though no input moved beyond doubt")
    assert "Next step: check the model's answers" in said(unsure).message


def test_inputs_that_moved_together_alone_are_not_said_to_stay_as_they_were() -> None:
    made = alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.05], joint=[0.5, 0.9]))
    text = said(explain(made, reason=HARDER_TRAFFIC)).message
    assert "No input moved by itself since then (false discovery rate 5 %), but inputs together did." in text
    assert "No input moved since" not in text


def test_a_loss_that_became_worse_stands_before_one_that_became_better() -> None:
    text = message(alarm("brier", windows(brier=[0.4], surprise_brier=[0.3], error=[0.05])))
    assert text.startswith("Brier score 0.150 \N{RIGHTWARDS ARROW} 0.400, error rate 20 \N{RIGHTWARDS ARROW} 5 % since")
    told = message(alarm("error", windows(brier=[0.4], surprise_brier=[0.3], error=[0.05])))
    assert told.startswith("Brier score 0.150 \N{RIGHTWARDS ARROW} 0.400, error rate"), "the one that is worse"
    better = message(alarm("brier", windows(brier=[0.05], error=[0.05])))
    assert better.startswith("Error rate 20 \N{RIGHTWARDS ARROW} 5 %, Brier score 0.150"), "none is worse"


def test_a_batch_is_named_in_place_of_a_day() -> None:
    first, last = windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.27])
    named = replace(last, findings=(Finding(kind=BATCH, feature="b02.csv", message="The batch b02.csv."),))
    assert " 0.400 since batch b02.csv (100 rows)" in said(explain(alarm("brier", (first, named)))).cause


def test_the_reason_for_a_notice_is_the_second_sentence() -> None:
    made = alarm("brier", windows(brier=[0.15, 0.4], surprise_brier=[0.0, 0.05]))
    notice = explain(made, reason=HARDER_TRAFFIC)
    assert said(notice).cause.endswith("(100 rows): harder traffic, model as right as before")
    assert "(100 rows). Harder traffic, model as right as before. Of this" in said(notice).message


def test_a_material_rise_says_from_where_on_it_is_a_page() -> None:
    made = alarm("material_brier", windows(brier=[0.4], surprise_brier=[0.05]))
    assert "(100 rows). A rise by more than 0.100 is a page whatever explains it. Of this" in message(made)


def test_a_calibration_watch_says_what_is_wrong_with_the_probabilities() -> None:
    made = alarm("calibration_slope", windows(calibration_slope=[-0.3], brier=[0.2]))
    assert message(made).startswith(
        "Brier score 0.150 \N{RIGHTWARDS ARROW} 0.200 since 1 April 2013 (100 rows). The prob"
    )
    assert "The probabilities are too sure (calibration slope)." in message(made)
    assert said(explain(made)).cause.endswith("(100 rows): the probabilities are too sure (calibration slope)")


def test_rows_weigh_and_parts_add_up() -> None:
    days = (
        window(0, {"brier": 0.2, "surprise_brier": 0.0}, rows=300),
        window(1, {"brier": 0.6, "surprise_brier": 0.4}, rows=100),
    )
    made = explain(alarm("brier", days))
    assert "Brier score 0.150 \N{RIGHTWARDS ARROW} 0.600" in said(made).message, "since the onset only"
    split = explain(alarm("brier", (replace(days[1], rows=100), replace(days[0], start=days[1].end)))).detail.split
    assert split is not None
    assert [split.change, split.surprise] == pytest.approx([0.15, 0.1])


def test_a_ranking_loss_is_an_auc_and_says_what_became_of_the_brier_score() -> None:
    made = explain(alarm("rank:late", windows(rank__late=[0.6], brier=[0.4], surprise_brier=[0.3])))
    assert said(made).cause.startswith(
        "AUC of class late against the baseline 0.750 \N{RIGHTWARDS ARROW} 0.400 since 1 April 2013"
    )
    assert (
        "AUC against the baseline is the share of the baseline's other rows that score lower (50 % by chance)."
        in said(made).message
    )
    assert "Of the change of the Brier score by +0.250 the model's own probabilities explain" in said(made).message


@pytest.mark.parametrize(
    ("auc", "cause"),
    [(0.45, "AUC 0.750 \N{RIGHTWARDS ARROW} 0.450 since"), (0.74, "AUC of class late against the baseline 0.750")],
)
def test_the_auc_of_the_rows_themselves_is_told_where_it_has_fallen_too(auc: float, cause: str) -> None:
    metric = MeasuredMetric(metric="auc", rows=100, value=auc, low=auc, high=auc)
    (window,) = windows(rank__late=[0.6], brier=[0.4], surprise_brier=[0.3])
    assert said(explain(alarm("rank:late", (replace(window, measured=(metric,)),)))).cause.startswith(cause)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (0.5, "Error rate 20 \N{RIGHTWARDS ARROW} 50 % since"),
        (0.0, "AUC of class late against the baseline 0.750 \N{RIGHTWARDS ARROW} 0.400, error rate 20"),
    ],
)
def test_beside_a_worse_error_rate_no_ranking_against_other_rows_is_told(error: float, cause: str) -> None:
    made = alarm("rank:late", windows(rank__late=[0.6], error=[error], brier=[0.4], surprise_brier=[0.3]))
    assert said(explain(made)).cause.startswith(cause)


def test_an_estimate_says_that_it_is_one() -> None:
    text = message(
        alarm("estimated_error", windows(estimated_error=[0.3]), against=baseline(without=["brier", "error"]))
    )
    assert text.startswith("Estimated error rate 0 \N{RIGHTWARDS ARROW} 30 % since 1 April 2013 (100 rows). No label")


def test_labels_of_earlier_rows_are_not_told_as_the_loss_of_the_rows_that_are_estimated() -> None:
    days = windows(estimated_error=[0.3], error=[0.0], brier=[0.0])
    text = message(alarm("estimated_error", days, against=baseline()))
    assert text.startswith("Estimated error rate 0 \N{RIGHTWARDS ARROW} 30 % since 1 April 2013 (100 rows). This is an")


def test_where_labels_are_days_late_the_message_says_from_when_on_rows_are_concerned() -> None:
    delays = delay_counts(np.zeros(100, np.int64), np.full(100, 5 * 86_400_000_000))
    days = [replace(day, label_delays=delays) for day in windows(brier=[0.5, 0.5], surprise_brier=[0.5, 0.5])]
    late, prompt = (message(alarm("brier", each)) for each in (tuple(days), windows(brier=[0.5, 0.5])))
    assert "half of them within 5 days: the rows are from about 27 March 2013 on." in late
    assert "labels arrived" not in prompt


def test_a_message_names_the_number_the_baseline_the_threshold_and_the_next_step() -> None:
    text = message(alarm("missing:z", windows(missing__z=[0.0, 0.2])))
    assert text == (
        "Missing values of z 0 \N{RIGHTWARDS ARROW} 20 % since 2 April 2013 (100 rows). Windows of the baseline vary "
        "by 2.0 points (standard deviation), and 1.0 points are tolerated. No other input moved since then (false "
        "discovery rate 5 %). How sure it is: evidence 400 (page threshold 365), 75 % of it from the missing values "
        "of z. Next step: check the pipeline that fills z."
    )


def test_one_row_is_singular_and_the_time_is_named_where_windows_are_short() -> None:
    hour = window(0, {"missing:z": 0.2}, rows=1)
    hour = replace(hour, end=hour.start + timedelta(hours=1))
    assert "since 1 April 2013 00:00 (1 row)." in message(alarm("missing:z", (hour,)))


@pytest.mark.parametrize("term", ["surprise", "evidence", "location", "thin"])
@pytest.mark.parametrize("top", ["surprise_brier", "brier", "input:x:location", "missing:z", "joint", "rank:late"])
def test_terms_of_the_method_come_after_their_plain_words(term: str, top: str) -> None:
    found = windows(
        **{"brier": [0.4], "surprise_brier": [0.3], "error": [0.5], top.replace(":", "__"): [0.6]},
        input__y__location=[0.9],
    )
    text = message(replace(alarm(top, found), explained={"y": 0.4}))
    before, _, after = text.partition(term)
    assert not after or before.endswith(("How sure it is: ", "in the baseline ("))
    assert len(text) <= 600, "five lines of 120 characters"


def test_a_cycle_is_named_with_the_baseline() -> None:
    text = message(alarm("brier", windows(brier=[0.4]), against=baseline(cycle="week")))
    assert " since 1 April 2013 (100 rows, against the same time of the week)." in text


def test_joint_drift_explains_its_scale_and_names_its_pairs() -> None:
    made = alarm("joint", windows(joint=[0.8]), pairs=(("x", "y\x1b"),))
    text = message(made)
    assert (
        said(explain(made)).cause
        == "Joint input drift 0.500 \N{RIGHTWARDS ARROW} 0.800 since 1 April 2013 (100 rows): "
        "inputs that moved together: x with y\ufffd"
    )
    assert "0.5 is no drift, 1 is complete separation from the baseline." in text
    assert "Pairs whose joint distribution changed most: x with y\ufffd." in text
    assert text.endswith(
        "Next step: compare the inputs with the baseline, `pitfalls monitor report --window 2013-04-01`."
    )


def test_drift_of_an_embedding_is_called_so() -> None:
    made = alarm("embedding", windows(embedding=[0.8]))
    assert message(made).startswith("Embedding drift 0.500 \N{RIGHTWARDS ARROW} 0.800")


def test_an_input_whose_quantiles_moved_without_a_median_says_its_scale() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.2]), notice={"input:x:location": 90.0})
    assert said(explain(made)).cause.startswith(
        "Mean quantile of x 0.500 \N{RIGHTWARDS ARROW} 0.200 since 1 April 2013"
    )
    assert "That is the mean of the values' quantiles in the baseline (location): 0.5 is no shift." in message(made)


@pytest.mark.parametrize(
    ("explained", "part"),
    [
        ({"x": 0.87}, "Of the inputs that moved, x explains 87 % of the rise."),
        ({"x": 0.1}, "No input explains it, though some moved since then (false discovery rate 5 %): x."),
    ],
)
def test_inputs_that_explain_nothing_do_not_lead(explained: dict[str, float], part: str) -> None:
    found = windows(brier=[0.4], input__x__location=[0.2])
    made = alarm("brier", found, notice={"input:x:location": 90.0})
    assert part in message(replace(made, explained=explained))


def test_a_label_coverage_gap_has_a_sign_in_points_and_says_what_it_is() -> None:
    text = message(alarm("labelled:score=high", windows(**{"labelled__score=high": [0.3]})))
    assert text.startswith("Label coverage gap at score = high +0.0 points \N{RIGHTWARDS ARROW} +30.0 points since")
    assert "the share of these rows among labelled rows minus their share among all rows." in text


def test_of_slices_the_one_with_the_largest_part_is_named() -> None:
    key = {part: WatchKey(watch="brier", slice=f"origin={part}") for part in ("EWR", "JFK")}
    losses = {WatchKey(watch="brier"): loss_sum(200, 0.1), **{one: loss_sum(100, 0.1) for one in key.values()}}
    found = [
        window(0, {"brier": 0.3, "surprise_brier": 0.2, "brier@origin=EWR": 0.5, "brier@origin=JFK": 0.1}, rows=50)
    ]
    cause = explain(alarm("brier", found, against=baseline(losses=losses)))
    part = cause.detail.parts[0].loss
    assert f"The largest part, +{part:.3f} of the Brier score, comes from origin = EWR." in said(cause).message
    assert "JFK" not in said(cause).message, "other slices are the incident's table"


def test_of_a_fall_the_slice_that_fell_most_is_named_and_none_that_rose() -> None:
    key = {part: WatchKey(watch="brier", slice=f"origin={part}") for part in ("EWR", "JFK")}
    losses = {WatchKey(watch="brier"): loss_sum(200, 0.15), **{one: loss_sum(100, 0.15) for one in key.values()}}
    found = [window(0, {"brier": 0.1, "brier@origin=EWR": 0.02, "brier@origin=JFK": 0.18}, rows=50)]
    text = message(alarm("brier", found, against=baseline(losses=losses)))
    assert "The largest part, \N{MINUS SIGN}0." in text
    assert "of the Brier score, comes from origin = EWR." in text
    assert "JFK" not in text


@pytest.mark.parametrize(
    ("top", "step"),
    [
        ("brier", "if they are right, retrain or roll back."),
        ("estimated_error", "compare with the labels when they arrive"),
        ("unusable_answers", "check the model's outputs for NaN and unknown classes."),
        ("labelled:score=high", "check how these rows get their labels"),
        ("output:late", "check whether the same model answers, and in the same unit"),
    ],
)
def test_every_family_has_a_next_step(top: str, step: str) -> None:
    assert step in message(alarm(top, windows(**{top.replace(":", "__"): [0.4]}))).rpartition("Next step: ")[2]


def test_an_alarm_without_any_score_says_so() -> None:
    made = explain(alarm("missing:z", windows(missing__z=[None])))
    assert said(made).cause == "Missing values of z changed since 1 April 2013"


def test_a_shift_is_said_in_the_column_s_own_unit_first_and_on_the_quantile_scale_second() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.8]), notice={"input:x:location": 90.0})
    shifts = {"x": shifted(38.0, 51.0)}
    cause = explain(made, lambda name, _: shifts.get(name))
    assert said(cause).cause == (
        "Median of x rose from 38 to 51 in the last window; drift since 1 April 2013 (100 rows)"
    )
    assert said(cause).message.startswith(
        f"{said(cause).cause}. Mean quantile of x 0.500 \N{RIGHTWARDS ARROW} 0.800. That is the mean"
    )
    explained = replace(alarm("brier", windows(brier=[0.4], input__x__location=[0.8])), explained={"x": 0.9})
    text = said(explain(explained, lambda name, _: shifts.get(name))).message
    assert "Of the inputs that moved, x (median 38 \N{RIGHTWARDS ARROW} 51) explains 90 % of the rise." in text


def test_a_median_that_moved_the_other_way_is_not_said() -> None:
    made = alarm("input:x:location", windows(input__x__location=[0.8]))
    cause = explain(made, lambda _name, _: shifted(51.0, 38.0))
    assert said(cause).cause.startswith("Mean quantile of x 0.500 \N{RIGHTWARDS ARROW} 0.800")


def test_a_constant_is_said_with_its_value_and_its_rows() -> None:
    number = InputShift(
        input="income",
        what="constant",
        before=(BinnedNumber(value=2971.0),),
        now=(BinnedNumber(value=2500.5),),
        rows=300,
    )
    word = replace(number, input="region", before=(BinnedNumber(value=0.497),), category="north")
    found = windows(input__x__location=[0.9])
    assert said(explain(alarm("input:x:location", found), lambda *_: number)).cause == (
        "Income is 2,500.5 in all 300 values of the window (median 2,971 in the baseline); drift since "
        "1 April 2013 (100 rows)"
    )
    joint = alarm("joint", windows(joint=[0.8], input__x__location=[0.9]))
    cause = said(explain(joint, lambda *_: word)).cause
    assert cause.endswith(": inputs that moved: x (north in all 300 values)")
