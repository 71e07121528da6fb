"""Facts about values are told as what explains them: swapped inputs, new values by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.moments import NO_MOMENTS
from monitoring.baseline.profile import Bins, Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.facts.gross_failures import MORE_UNSEEN, OUT_OF_RANGE, UNSEEN
from monitoring.judging.renamed_values import RENAMED
from monitoring.judging.value_facts import SWAPPED, explained_facts
from monitoring.records import Finding
from monitoring.records.finding_parts import GrossRate, NewValue
from monitoring.sentences.finding_text import finding_text

RNG = np.random.default_rng(7)
ROWS = 400


def table(rows: int = ROWS) -> dict[str, np.ndarray]:
    """Untidy inputs: whole numbers with ties, a long tail, two categories and a code."""
    return {
        "age": RNG.integers(18, 81, rows).astype(float),
        "visits": RNG.poisson(3.0, rows).astype(float),
        "income": np.round(RNG.lognormal(8.0, 0.5, rows), 2),
        "branch": RNG.choice(["web", "shop", "phone"], rows, p=[0.6, 0.3, 0.1]),
        "region": RNG.choice(["north", "south", "west", "web"], rows, p=[0.5, 0.28, 0.2, 0.02]),
    }


BEFORE = table(6_000)
BINS = (
    *(
        Bins(feature=name, edges=tuple(np.unique(np.quantile(BEFORE[name], np.linspace(0, 1, 65)[1:-1])).tolist()))
        for name in ("age", "visits", "income")
    ),
    *(Bins(feature=name, categories=tuple(sorted(set(BEFORE[name])))) for name in ("branch", "region")),
)


def profile(values: dict[str, np.ndarray]) -> Profile:
    return ProfileBuilder(BINS).count(pa.table({name: pa.array(column.tolist()) for name, column in values.items()}))


#: As a fit keeps it, without moments.
BASELINE = Profile(rows=6_000, features=tuple(replace(each, moments=NO_MOMENTS) for each in profile(BEFORE).features))


def unseen(feature: str, rate: float = 0.9) -> Finding:
    parts = GrossRate(of="unseen", rate=rate, rows=ROWS, worst=0.0)
    return Finding(kind=UNSEEN, feature=feature, fact=True, parts=parts)


def outside(feature: str) -> Finding:
    return Finding(kind=OUT_OF_RANGE, feature=feature, message="", fact=True)


def explained(values: dict[str, np.ndarray], *facts: Finding) -> tuple[Finding, ...]:
    return explained_facts(facts, (), BINS, BASELINE, profile(values))


@pytest.mark.parametrize(("one", "other"), [("age", "visits"), ("visits", "income"), ("branch", "region")])
def test_two_inputs_that_have_each_others_values_are_swapped(one: str, other: str) -> None:
    now = table()
    now[one], now[other] = now[other], now[one]
    fact = unseen if one == "branch" else outside
    found = explained(now, fact(one), fact(other))
    assert [(finding.kind, finding.feature, finding.fact) for finding in found] == [
        (SWAPPED, one, True),
        (SWAPPED, other, True),
    ]
    assert finding_text(found[0]) == f"The input {one} has the values that {other} has in the baseline."


def test_inputs_that_are_both_wrong_in_another_way_are_not_swapped() -> None:
    now = table()
    now["age"], now["income"] = now["age"] * 12.0, now["income"] * 100.0
    facts = (outside("age"), outside("income"))
    assert explained(now, *facts) == facts


def test_one_input_that_is_filled_by_another_is_not_swapped() -> None:
    now = table()
    now["age"] = now["visits"]
    assert explained(now, outside("age")) == (outside("age"),)
    assert explained(now, outside("age"), outside("visits")) == (outside("age"), outside("visits"))


def test_common_new_values_are_named_and_rare_ones_are_not() -> None:
    now = table()
    now["branch"] = np.where(RNG.random(ROWS) < 0.3, "UNKNOWN", now["branch"])
    now["branch"][:3] = ["kiosk", "fax", "telex"]
    count = int((now["branch"] == "UNKNOWN").sum())
    [found] = explained(now, unseen("branch", 0.3))
    assert isinstance(found.parts, GrossRate)
    assert found.parts.values == (NewValue(name="UNKNOWN", rows=count),)
    assert f"does not have: `UNKNOWN` in {count};" in finding_text(found)


def test_ids_in_a_category_are_not_named() -> None:
    now = table()
    now["branch"] = np.array([f"customer {number}" for number in range(ROWS)])
    [found] = explained(now, unseen("branch"))
    assert isinstance(found.parts, GrossRate)
    assert found.parts.values == ()
    assert "customer" not in finding_text(found)


def test_of_an_input_whose_fact_is_told_nothing_more_is_said() -> None:
    assert explained_facts((unseen("branch"),), ("branch",), BINS, BASELINE, profile(table())) == ()


def more_unseen(feature: str, rate: float) -> Finding:
    parts = GrossRate(of="unseen", rate=rate, rows=ROWS, worst=0.0)
    return Finding(kind=MORE_UNSEEN, feature=feature, fact=True, parts=parts)


@pytest.mark.parametrize(("new", "kinds"), [("Phone 2", {RENAMED}), (None, {MORE_UNSEEN, RENAMED})])
def test_a_notice_of_new_values_is_that_of_a_renamed_category_where_that_is_most_of_them(
    new: str | None, kinds: set[str]
) -> None:
    """A tenth of the rows is renamed; beside them none, or three times as many, have another new value."""
    now = table()
    branch = np.where(now["branch"] == "phone", "PHONE", now["branch"]).astype(object)
    if new is None:
        branch = np.where((branch == "web") & (np.arange(ROWS) % 2 == 0), "kiosk", branch)
    now["branch"] = branch
    rate = float(np.mean([word not in BINS[3].categories for word in branch]))  # type: ignore[operator]  # has some
    found = explained(now, more_unseen("branch", rate))
    assert {finding.kind for finding in found} == kinds
    assert all("`phone`" in finding_text(one) for one in found if one.kind == RENAMED)
