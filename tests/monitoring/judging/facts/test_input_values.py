"""Inputs that are constant, those of the window before, or rows that are copied; and what is no fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.facts.input_values import CONSTANT_INPUT, COPIED, SAME_VALUES, ValueLimits, WindowValues
from monitoring.records import Finding
from monitoring.sentences.finding_text import finding_text

Values = Mapping[str, Any]
ROWS, ALPHA = 200, 1e-5
WORDS = ("web", "shop", "phone")
BINS = (
    Bins(feature="age", edges=tuple(float(age) for age in range(19, 81))),
    Bins(
        feature="income",
        edges=tuple(np.quantile(np.random.default_rng(1).lognormal(8, 0.5, 5000), np.arange(1, 64) / 64)),
    ),
    Bins(feature="branch", categories=WORDS),
    Bins(feature="month", edges=(2.0, 3.0, 4.0)),
    Bins(feature="snow", edges=(0.1, 2.0)),
)


def day(seed: int, rows: int = ROWS) -> dict[str, Any]:
    """A day's inputs: `month` is the same in each, and there is next to no snow."""
    rng = np.random.default_rng(seed)
    return {
        "age": rng.integers(18, 81, rows).astype(float),
        "income": np.round(rng.lognormal(8.0, 0.5, rows), 2),
        "branch": rng.choice(WORDS, rows, p=[0.6, 0.3, 0.1]),
        "month": np.full(rows, float(seed // 30 + 1)),
        "snow": np.where(rng.random(rows) < 0.1, rng.random(rows), 0.0),
    }


def profile(values: Values) -> Profile:
    return ProfileBuilder(BINS).count(
        pa.table({name: pa.array(np.asarray(one).tolist()) for name, one in values.items()})
    )


REFERENCE = [WindowValues.of(profile(day(number, ROWS + 7 * (number % 5)))) for number in range(45)]
LIMITS = ValueLimits.fit(BINS, REFERENCE, dated=True)
YESTERDAY = WindowValues.of(profile(day(100)))


def found(values: Values, before: WindowValues = YESTERDAY, limits: ValueLimits = LIMITS) -> tuple[Finding, ...]:
    return limits.findings(BINS, profile(values), before, alpha=ALPHA, sources={})


def kinds(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.feature) for finding in findings]


@given(seed=st.integers(1_000, 9_000), rows=st.integers(100, 400))
@settings(max_examples=30, deadline=None)
def test_a_sound_day_has_none(seed: int, rows: int) -> None:
    assert found(day(seed, rows)) == ()


@pytest.mark.parametrize(("name", "value", "said"), [("age", 58.0, "age is 58"), ("branch", "web", "branch is web")])
def test_an_input_that_has_one_value_is_constant(name: str, value: object, said: str) -> None:
    findings = found({**day(101), name: np.full(ROWS, value)})
    assert kinds(findings) == [(CONSTANT_INPUT, name)]
    assert finding_text(findings[0]).startswith(f"{said} in all 200 values of the window; in the baseline's windows at")


def test_what_is_one_value_in_a_window_of_the_baseline_may_be_constant() -> None:
    now = {**day(101), "month": np.full(ROWS, 12.0), "snow": np.zeros(ROWS)}
    assert found(now) == ()
    assert {"month", "snow"}.isdisjoint(LIMITS.alike)


def test_few_rows_are_often_alike() -> None:
    assert found({name: values[:20] for name, values in {**day(101), "branch": np.full(ROWS, "web")}.items()}) == ()


def test_nearly_constant_is_not_constant() -> None:
    age = np.full(ROWS, 58.0)
    age[0] = 57.0
    assert kinds(found({**day(101), "age": age})) == []


def test_values_of_the_window_before_are_told_whatever_the_order_of_rows() -> None:
    again = np.random.default_rng(2).permutation(day(100)["income"])
    findings = found({**day(101), "income": again})
    assert kinds(findings) == [(SAME_VALUES, "income")]
    assert finding_text(findings[0]).startswith("The 200 values of income are those of the window before")


def test_few_categories_come_again_by_chance() -> None:
    assert found({**day(101), "branch": day(100)["branch"]}) == ()


def test_the_same_customers_each_day_are_usual() -> None:
    """A batch that scores the same rows again: ages are those of the day before in the baseline too."""
    panel = day(1)
    windows = [WindowValues.of(profile({**day(number), "age": panel["age"]})) for number in range(30)]
    limits = ValueLimits.fit(BINS, windows, dated=True)
    before = WindowValues.of(profile({**day(100), "age": panel["age"]}))
    assert found({**day(101), "age": panel["age"]}, before, limits) == ()
    assert "income" in limits.renewed


def test_without_dates_no_window_follows_another() -> None:
    limits = ValueLimits.fit(BINS, REFERENCE, dated=False)
    assert found(day(100), YESTERDAY, limits) == ()


@pytest.mark.parametrize(("times", "words"), [(2, "twice"), (3, "3 times")])
def test_rows_that_are_there_several_times_are_copied(times: int, words: str) -> None:
    findings = found({name: np.repeat(values, times) for name, values in day(101).items()})
    assert kinds(findings) == [(COPIED, "rows")]
    assert finding_text(findings[0]) == (
        f"Each of 200 rows is there {words} under ids of its own: {200 * times:,} rows in all."
    )


def test_rows_that_come_in_pairs_are_usual_where_the_baseline_has_them() -> None:
    pairs = {name: np.repeat(values, 2) for name, values in day(5).items()}
    limits = ValueLimits.fit(BINS, [*REFERENCE, WindowValues.of(profile(pairs))], dated=True)
    assert found({name: np.repeat(values, 2) for name, values in day(101).items()}, limits=limits) == ()


def test_a_column_is_told_in_place_of_all_that_describes_it() -> None:
    text = {"age": "comment", "income": "comment"}
    now = {**day(101), "age": np.full(ROWS, 3.0), "income": np.full(ROWS, 9.0)}
    findings = LIMITS.findings(BINS, profile(now), YESTERDAY, alpha=ALPHA, sources=text)
    assert kinds(findings) == [(CONSTANT_INPUT, "comment")]
    assert finding_text(findings[0]).startswith("All 200 values of comment in the window are alike")
    one = LIMITS.findings(BINS, profile({**now, "income": day(101)["income"]}), YESTERDAY, alpha=ALPHA, sources=text)
    assert one == ()


def test_no_windows_no_limits() -> None:
    assert ValueLimits.fit(BINS, (), dated=True) == ValueLimits()
    assert found(day(100), YESTERDAY, ValueLimits()) == ()


def test_what_the_next_window_needs_is_text() -> None:
    text = YESTERDAY.to_text()
    assert WindowValues.from_text(text) == WindowValues(rows=YESTERDAY.rows, hashes=YESTERDAY.hashes)
    assert WindowValues.from_text("") == WindowValues()


def test_a_state_of_other_inputs_is_no_window_before() -> None:
    stored = WindowValues.from_text("200 1 2 3")
    assert found(day(101), stored) == ()
