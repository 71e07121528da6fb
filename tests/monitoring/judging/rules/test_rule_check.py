"""The rows of a window held against rules of the user's own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.batch import Batch
from monitoring.baseline.profile import Bins
from monitoring.errors import BadInput
from monitoring.judging.rules.expression import Expression
from monitoring.judging.rules.rule_check import RULE_BROKEN, RULE_BROKEN_NOTICE, Rule, RuleCheck, check_rules
from monitoring.judging.rules.rule_columns import RuleColumns
from monitoring.sentences.finding_text import finding_text
from monitoring.timestamps import as_microseconds
from monitoring.traffic.windows import Window

DAY = datetime(2026, 11, 30, tzinfo=UTC)
WINDOW = Window(start=DAY, end=DAY + timedelta(days=1))
ROWS = 200


def batch(first: int = 0, **changes: Any) -> Batch:
    """200 rows that break no rule below, each a minute after the one before."""
    places = np.arange(first, first + ROWS)
    columns = {
        "fare": pa.array(places % 50 + 1.0),
        "code": pa.array(["EWR", "JFK"] * (ROWS // 2)).dictionary_encode(),
        "trip": pa.array([f"t{place}" for place in places]),
        **changes,
    }
    chosen = np.tile([0.3, 0.7], ROWS // 2)
    return Batch(
        event_times=as_microseconds(DAY) + places * 60_000_000,
        features=pa.table(columns),
        probabilities=np.stack([1 - chosen, chosen], axis=1),
        labels=np.full(ROWS, -1),
        label_times=np.zeros(ROWS, dtype=np.int64),
        ids=lambda at: pa.array([f"id{first + place}" for place in at.tolist()]),
    )


def words(rule: Rule, *batches: Batch) -> str:
    """What is found of a rule; empty where nothing is."""
    found = RuleCheck([rule]).findings(batches, WINDOW, judged_rows=sum(map(len, batches)))
    return finding_text(found[0]) if found else ""


def replaced(values: list[Any], *changes: tuple[int, Any]) -> pa.Array:
    for place, value in changes:
        values[place] = value
    return pa.array(values)


FARES = [place % 50 + 1.0 for place in range(ROWS)]
CODES = ["EWR", "JFK"] * (ROWS // 2)
BINS = (Bins(feature="fare", edges=(1.0,)), Bins(feature="code", categories=("EWR", "JFK")))


@pytest.mark.parametrize(
    ("rule", "changes", "text"),
    [
        (
            Rule(name="r", column="fare", low=0, high=60),
            {"fare": replaced(FARES[:], (3, -1.0), (7, 99.0))},
            "below 0 or",
        ),
        (
            Rule(name="r", column="fare", missing=0.0),
            {"fare": replaced(FARES[:], (3, None))},
            "fare is missing in 1 of",
        ),
        (
            Rule(name="r", column="fare", missing=0.0),
            {"fare": replaced(FARES[:], (3, np.nan))},
            "fare is missing in 1 of 200 rows (0.5%).",
        ),
        (Rule(name="r", column="code", values=("EWR", "JFK")), {"code": replaced(CODES[:], (9, "LGA"))}, "none of EWR"),
        (
            Rule(name="r", column="code", pattern="[A-Z]{3}"),
            {"code": replaced(CODES[:], (9, "ewr!"))},
            "does not match",
        ),
        (
            Rule(name="r", column="trip", unique=True),
            {"trip": pa.array(["t1"] * ROWS)},
            "repeats a value in 199 of 200",
        ),
        (
            Rule(name="r", expression="fare > 1 or code == 'EWR'"),
            {"code": pa.array(["JFK"] * ROWS)},
            "does not hold in 4",
        ),
        (Rule(name="r", rows=(201, None)), {}, "200 rows, expected at least 201"),
        (Rule(name="r", fresh=timedelta(hours=3)), {}, "newest row is of 2026-11-30 03:19 UTC"),
    ],
)
def test_what_breaks_a_rule_is_told_with_its_rows_and_what_does_not_is_not(
    rule: Rule, changes: dict[str, Any], text: str
) -> None:
    if changes:
        assert words(rule, batch()) == ""
    assert text in words(rule, batch(**changes))


NAMES = RuleColumns(event_time="opened", prediction_id="claim", scores=("p_late",), labels=frozenset({"late"}))


def named(rule: Rule, *batches: Batch) -> str:
    """What is found of a rule in a table with names of its own."""
    found = RuleCheck([rule], NAMES).findings(batches, WINDOW, judged_rows=sum(map(len, batches)))
    return finding_text(found[0]) if found else ""


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(name="r", column="fare", statistic="mean", high=25.0), "the mean of fare is 25.5 over 400 rows"),
        (Rule(name="r", column="fare", statistic="median", low=26.0), "the median of fare is 25.5 over 400 rows"),
        (Rule(name="r", column="fare", statistic="stdev", low=14.5), "the standard deviation of fare is 14.45 over"),
        (Rule(name="r", column="code", statistic="distinct", low=3.0), "number of distinct values of code is 2 over"),
    ],
)
def test_a_statistic_is_of_all_rows_of_the_window(rule: Rule, said: str) -> None:
    fares = [place % 50 + 1.0 for place in range(2 * ROWS)]
    exact = {
        "mean": float(np.mean(fares)),
        "median": float(np.median(fares)),
        "stdev": float(np.std(fares, ddof=1)),
        "distinct": 2.0,
    }
    assert said in words(rule, batch(), batch(ROWS))
    at = exact[str(rule.statistic)]
    assert words(replace(rule, low=at - 1e-9, high=at + 1e-9), batch(), batch(ROWS)) == ""
    assert (
        words(rule, batch(fare=pa.array([None] * ROWS, pa.float64()), code=pa.array([None] * ROWS, pa.string()))) == ""
    )


def test_columns_are_unique_together_where_no_row_has_the_values_of_another() -> None:
    rule = Rule(name="r", together=("fare", "code"), unique=True)
    pairs = {"fare": pa.array([1.0, 1.0, 2.0, None, None] * 40), "code": pa.array(["a", "b", "a", "a", "a"] * 40)}
    assert "fare and code repeat values together in 117 of 200 rows" in words(rule, batch(**pairs))
    once = {"fare": pa.array(np.arange(ROWS) // 2 + 0.0), "code": pa.array(["a", "b"] * (ROWS // 2))}
    assert words(rule, batch(**once)) == ""


def test_the_tables_own_names_of_ids_times_and_scores_may_be_used() -> None:
    assert named(Rule(name="r", column="claim", unique=True), batch()) == ""
    assert "claim repeats a value in 200 of 400" in named(Rule(name="r", column="claim", unique=True), batch(), batch())
    assert "p_late is above 0.5 in 100 of 200" in named(Rule(name="r", column="p_late", high=0.5), batch())
    assert "does not hold in 200 of" in named(Rule(name="r", expression="year(opened) < 2026"), batch())


def test_a_value_that_comes_again_in_a_later_batch_is_a_repeat() -> None:
    rule = Rule(name="r", column="trip", unique=True)
    assert words(rule, batch(), batch(ROWS)) == ""
    assert "in 200 of 400 rows (50.0%)" in words(rule, batch(), batch())


def test_a_share_of_rows_may_break_a_rule_that_says_so() -> None:
    wrong = {"fare": replaced(FARES[:], (3, -1.0), (7, -1.0))}
    assert words(Rule(name="r", column="fare", low=0, share=0.01), batch(**wrong)) == ""
    assert words(Rule(name="r", column="fare", low=0, share=0.009), batch(**wrong)) != ""


def test_a_gap_of_the_selection_rate_between_groups_is_told_once_it_is_more_than_chance() -> None:
    rule = Rule(name="r", group="code", gap=0.1)
    assert "a gap of more than 10.0%" in words(rule, batch())
    mixed = {"code": pa.array(["EWR", "EWR", "JFK", "JFK"] * (ROWS // 4))}
    assert words(rule, batch(**mixed)) == ""


def test_the_level_is_that_of_the_rule_and_a_column_that_is_gone_breaks_it() -> None:
    rules = [Rule(name="a", column="fare", low=99.0), Rule(name="b", level="notice", column="gone", low=0.0)]
    found = RuleCheck(rules).findings([batch()], WINDOW, judged_rows=ROWS)
    assert [(one.kind, one.feature, one.fact) for one in found] == [
        (RULE_BROKEN, "rule a", True),
        (RULE_BROKEN_NOTICE, "rule b", True),
    ]
    assert "the column gone is gone" in finding_text(found[1])


def test_a_window_without_rows_breaks_rules_about_rows_alone() -> None:
    rules = [
        Rule(name="a", column="fare", low=99.0),
        Rule(name="b", rows=(1, None)),
        Rule(name="c", fresh=WINDOW.end - DAY),
    ]
    found = RuleCheck(rules).findings([], WINDOW, judged_rows=0)
    assert [one.feature for one in found] == ["rule b", "rule c"]


def test_rules_about_columns_that_are_not_watched_are_refused_before_anything_is_judged() -> None:
    check_rules([Rule(name="r", expression="fare < 3 and prediction_id != ''")], BINS)
    with pytest.raises(BadInput, match="a column that is not watched"):
        check_rules([Rule(name="r", column="tips", low=0.0)], BINS)


def test_a_rule_about_labels_or_parts_says_why_it_cannot_be_held() -> None:
    with pytest.raises(BadInput, match=r"about labels.*labels may come later.*watched by themselves"):
        check_rules([Rule(name="r", column="late", low=0.0)], BINS, columns=NAMES)
    parts = (*BINS, Bins(feature="born.year", edges=(1990.0,)), Bins(feature="born.weekday", categories=("Mon",)))
    with pytest.raises(BadInput, match=r"only parts are watched.*expected born.year, born.weekday"):
        check_rules([Rule(name="r", column="born", fresh=timedelta(1), missing=0.0)], parts, columns=NAMES)
    with pytest.raises(BadInput, match="p_late"):
        check_rules([Rule(name="r", column="score", high=1.0)], BINS, columns=NAMES)
    check_rules([Rule(name="r", column="p_late", statistic="mean", high=0.4)], BINS, columns=NAMES)
    with pytest.raises(BadInput, match=r"the mean of code is above 3: .*code has .EWR"):
        check_rules([Rule(name="r", column="code", statistic="mean", high=3.0)], BINS, columns=NAMES)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            Rule(name="r", column="code", pattern="[0-9"),
            "does not match .0-9: Invalid regular expression.*code has .EWR., .JFK.",
        ),
        (Rule(name="r", column="code", pattern="(?=a)b"), "Invalid regular expression"),
        (Rule(name="r", column="code", low=1.0), "code is below 1: .*code has .EWR., .JFK."),
        (Rule(name="r", expression="code > 3"), "code > 3 does not hold: .*code has .EWR., .JFK."),
        (Rule(name="r", expression="fare > 'a'"), "fare has 1.0"),
        (Rule(name="r", column="fare", values=("EWR",)), "fare is none of EWR: .*fare has 1.0"),
    ],
)
def test_a_rule_that_fits_no_value_of_its_column_is_refused_before_anything_is_judged(rule: Rule, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_rules([rule], BINS)


def test_codes_may_be_numbers_or_texts() -> None:
    check_rules([Rule(name="r", column="code", low=1.0)], BINS, ["code"])
    check_rules([Rule(name="r", column="code", low=1.0)], [Bins(feature="code", categories=("10", "20"))])
    zips = {"code": replaced(["10000"] * ROWS, (9, "20000"))}
    assert "in 1 of 200 rows" in words(Rule(name="r", column="code", values=(10000.0,)), batch(**zips))


def test_one_row_ends_no_rule_and_a_number_never_wraps_around() -> None:
    count = pa.array([*range(ROWS - 1), -(2**62)])
    rule = Rule(name="r", expression="100 / fare < 50")
    assert "in 2 of 200 rows" in words(rule, batch(fare=count)), "1 and 2; of 0 the quotient is missing"
    assert "in 3 of 200 rows" in words(replace(rule, unknown_breaks=True), batch(fare=count))
    assert words(Rule(name="r", expression="fare * 8 < 0 or fare >= 0"), batch(fare=count)) == ""


def test_no_message_has_an_id_of_a_row() -> None:
    broken = batch(fare=replaced(FARES[:], (3, -1.0)), trip=pa.array(["t1"] * ROWS))
    for rule in (Rule(name="r", column="fare", low=0.0), Rule(name="r", column="trip", unique=True)):
        assert not re.search(r"\bid\d", words(rule, broken))
        assert RuleCheck([rule]).broken_ids([broken], ["rule r"])[0][1].startswith("id")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "fare.__class__",
        "[fare for fare in ()]",
        "lambda: 1",
        "fare < (1 if True else 2)",
        "open('x')",
        "fare ** 99999999",
        "fare in [1, 99999999999999999999999]",
        "f'{fare}'",
        "fare in code",
        "a := 3",
        "",
        "fare <",
        "1 < " * 400 + "fare",
        "(" * 5_000 + "fare" + ")" * 5_000,
    ],
)
def test_an_expression_is_a_small_part_of_a_language_and_nothing_else_is_evaluated(text: str) -> None:
    with pytest.raises(BadInput, match="expression cannot be used"):
        Expression(text)


def test_an_expression_that_does_not_fit_the_rows_is_told_and_stops_nothing() -> None:
    assert "it cannot be held against these rows" in words(Rule(name="r", expression="code > 3"), batch())
    assert "it cannot be held against these rows" in words(Rule(name="r", expression="fare + 1"), batch())
