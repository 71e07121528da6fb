"""The segment that alone has missing or new values, or a number in another unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.facts.gross_failures import MISSING, OUT_OF_RANGE, UNSEEN, range_findings
from monitoring.judging.facts.input_values import ValueLimits
from monitoring.judging.value_segments import (
    SampledWindow,
    constant_inputs_of_segments,
    ranges_of_segments,
    with_segments,
)
from monitoring.records import Finding
from monitoring.records.finding_parts import ConstantInput, GrossRate
from monitoring.sentences.finding_text import finding_text

ROWS, ALPHA = 400, 1e-5
BRANCHES = ("web", "shop", "phone")


def table(seed: int, rows: int = ROWS) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "income": np.round(rng.lognormal(8.0, 0.5, rows), 2),
        "branch": rng.choice(BRANCHES, rows, p=[0.5, 0.3, 0.2]).astype(object),
        "code": rng.choice(["a", "b"], rows).astype(object),
    }


BEFORE = table(0, 8_000)
BINS = (
    Bins(feature="income", edges=tuple(np.unique(np.quantile(BEFORE["income"], np.linspace(0, 1, 65)[1:-1])).tolist())),
    Bins(feature="branch", categories=BRANCHES),
    Bins(feature="code", categories=("a", "b")),
)
BUILDER = ProfileBuilder(BINS)


def arrow(values: dict[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(list(column)) for name, column in values.items()})


BASELINE = BUILDER.count(arrow(BEFORE))


def window(values: dict[str, Any], sample: int | None = None) -> SampledWindow:
    rows = arrow(values)
    return SampledWindow(bins=BINS, before=BASELINE, now=BUILDER.count(rows), sample=rows.slice(0, sample))


def of_segments(values: dict[str, Any], sample: int | None = None) -> list[Finding]:
    return list(ranges_of_segments(window(values, sample), told=(), alpha=ALPHA, sources={}))


def rate(kind: str, feature: str) -> Finding:
    of = {MISSING: "missing", UNSEEN: "unseen"}[kind]
    parts = GrossRate(of=of, rate=0.3, rows=ROWS, worst=0.0)  # type: ignore[arg-type]  # one of two words
    return Finding(kind=kind, feature=feature, fact=True, parts=parts)


def segment_of(fact: Finding, values: dict[str, Any]) -> str:
    (told,) = with_segments([fact], window(values))
    return str(getattr(told.parts, "segment", ""))


@given(seed=st.integers(1, 10_000), rows=st.integers(60, 400))
@settings(max_examples=25, deadline=None)
def test_a_sound_window_has_none(seed: int, rows: int) -> None:
    assert of_segments(table(seed, rows)) == []


@pytest.mark.parametrize("branch", ["shop", "phone"])
@pytest.mark.parametrize("factor", [12.0, 100.0])
def test_a_unit_that_changed_in_one_segment_is_told_with_it(branch: str, factor: float) -> None:
    values = table(1)
    values["income"] = np.where(values["branch"] == branch, values["income"] * factor, values["income"])
    assert range_findings(BINS, BUILDER.count(arrow(values)), alpha=ALPHA) == ()
    (found,) = of_segments(values)
    inside = values["income"][values["branch"] == branch]
    text = finding_text(found)
    assert (found.kind, found.feature, found.fact) == (OUT_OF_RANGE, "income", True)
    assert f"The mean of income is {float(f'{inside.mean():.4g}'):,.0f} over {inside.size} rows where" in text
    assert f"where branch = {branch};" in text


def test_of_many_rows_it_says_that_they_are_sampled() -> None:
    values = table(1, 2_000)
    values["income"] = np.where(values["branch"] == "shop", values["income"] * 12.0, values["income"])
    (found,) = of_segments(values, sample=400)
    assert " sampled rows where branch = shop" in finding_text(found)


def test_a_unit_that_changed_in_rows_of_all_segments_is_of_none() -> None:
    values = table(1)
    values["income"] = np.where(np.arange(ROWS) % 3 == 0, values["income"] * 12.0, values["income"])
    assert of_segments(values) == []


def test_a_move_that_is_no_change_of_unit_is_none() -> None:
    values = table(1)
    values["income"] = np.where(values["branch"] == "shop", values["income"] * 1.6, values["income"])
    assert of_segments(values) == []


def test_what_is_told_already_is_not_told_again() -> None:
    values = table(1)
    values["income"] = np.where(values["branch"] == "shop", values["income"] * 12.0, values["income"])
    assert list(ranges_of_segments(window(values), told={"income"}, alpha=ALPHA, sources={})) == []


def test_missing_values_of_one_segment_are_told_with_it() -> None:
    values = table(2)
    values["income"] = [None if b == "shop" else v for v, b in zip(values["income"], values["branch"], strict=True)]
    assert segment_of(rate(MISSING, "income"), values) == "branch=shop"


def test_new_values_of_one_segment_are_told_with_it() -> None:
    values = table(3)
    values["code"] = [
        f"x{at % 7}" if b == "phone" else v
        for at, (v, b) in enumerate(zip(values["code"], values["branch"], strict=True))
    ]
    (told,) = with_segments([rate(UNSEEN, "code")], window(values))
    assert finding_text(told).startswith(
        "30 % of 400 values of code are values that the baseline does not have, only where branch = phone;"
    )


def test_missing_values_everywhere_have_no_segment() -> None:
    values = table(2)
    values["income"] = [None if at % 3 == 0 else v for at, v in enumerate(values["income"])]
    assert segment_of(rate(MISSING, "income"), values) == ""


def test_a_range_of_all_rows_has_no_segment() -> None:
    values = table(4)
    values["income"] = values["income"] * 100.0
    now = window(values)
    (fact,) = with_segments(range_findings(BINS, now.now, alpha=ALPHA), now)
    assert getattr(fact.parts, "segment", None) == ""


def test_a_sample_without_the_column_says_nothing() -> None:
    values = table(2)
    now = window(values)
    bare = SampledWindow(bins=BINS, before=BASELINE, now=now.now, sample=now.sample.select(["code"]))
    fact = rate(MISSING, "income")
    assert with_segments([fact], bare) == (fact,)
    assert list(ranges_of_segments(bare, told=(), alpha=ALPHA, sources={})) == []


def constant_in(values: dict[str, Any], **usual: float) -> list[Finding]:
    limits = ValueLimits(rows=100, alike=usual)
    return list(constant_inputs_of_segments(window(values), limits, told=(), alpha=ALPHA))


def test_an_input_that_is_constant_in_one_segment_is_told_with_it() -> None:
    values = table(5)
    shop = values["branch"] == "shop"
    values["income"][shop] = 2_500.25
    (found,) = constant_in(values, income=0.06)
    told = f"income is 2,500 in all {shop.sum()} values where branch = shop; in the baseline's windows at most 6 %"
    assert finding_text(found).startswith(told)
    values["income"][np.flatnonzero(shop)[0]] = 2_600.0
    assert not constant_in(values, income=0.06), "one row differs"


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_values_that_are_missing_in_another_segment_are_no_constant(missing: float | None) -> None:
    values = table(7)
    values["income"] = values["income"].astype(object)
    values["income"][values["branch"] == "phone"] = 2_500.25
    values["income"][values["branch"] == "shop"] = missing
    (found,) = constant_in(values, income=0.06)
    assert isinstance(found.parts, ConstantInput)
    assert (found.parts.segment, found.parts.number) == ("branch=phone", 2_500.25)


def test_a_segment_that_may_always_have_had_one_value_is_not_told_when_it_grows() -> None:
    values = table(6)
    values["branch"][: ROWS // 2] = "phone"
    values["code"][values["branch"] == "phone"] = "a"
    assert not constant_in(values, code=0.62), "half of the baseline's rows have it: the segment may always have"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_no_sound_window_has_a_constant_segment(seed: int) -> None:
    assert not constant_in(table(seed), income=0.06, code=0.6)
