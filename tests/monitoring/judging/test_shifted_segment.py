"""An input that moved in the rows of one value of another input alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile import Bins
from monitoring.judging.shifted_segment import shifted_segment
from monitoring.records import BinnedNumber, InputShift

RNG = np.random.default_rng(11)
BINS = (
    Bins(feature="income", edges=tuple(np.quantile(RNG.lognormal(8.0, 0.5, 5_000), np.linspace(0, 1, 65)[1:-1]))),
    Bins(feature="branch", categories=("web", "shop", "phone")),
    Bins(feature="region", categories=("north", "south", "west")),
    Bins(feature="city", categories=tuple(f"c{number}" for number in range(100))),
)
ANY = (BinnedNumber(value=0.0),)
MEDIAN = InputShift(input="income", what="median", before=ANY, now=ANY)

Rows = dict[str, list[object]]
Plant = Callable[[Rows], None]


def rows(count: int) -> Rows:
    """Inputs in which income depends on branch, and one in fifty incomes is missing."""
    branch = RNG.choice(["web", "shop", "phone"], count, p=[0.5, 0.3, 0.2])
    income = np.round(RNG.lognormal(8.0, 0.5, count) * np.where(branch == "phone", 1.5, 1.0), 2)
    return {
        "income": [None if RNG.random() < 0.02 else float(value) for value in income],
        "branch": branch.tolist(),
        "region": RNG.choice(["north", "south", "west"], count, p=[0.6, 0.3, 0.1]).tolist(),
        "city": RNG.choice([f"c{number}" for number in range(100)], count).tolist(),
    }


def tables(count: int, plant: Plant = lambda _: None) -> Iterator[pa.Table]:
    """In two batches, of which one has text as codes."""
    for half in (count // 2, count - count // 2):
        made = rows(half)
        plant(made)
        table = pa.table(made)
        yield table if half % 2 else table.set_column(1, "branch", table["branch"].dictionary_encode())


def times(factor: float, where: str = "", value: str = "") -> Plant:
    def plant(made: Rows) -> None:
        for at, income in enumerate(made["income"]):
            if isinstance(income, float) and (not where or made[where][at] == value):
                made["income"][at] = income * factor

    return plant


def missing(where: str, value: str) -> Plant:
    def plant(made: Rows) -> None:
        made["income"] = [None if made[where][at] == value else old for at, old in enumerate(made["income"])]

    return plant


@pytest.mark.parametrize(("where", "value"), [("branch", "shop"), ("branch", "phone"), ("region", "west")])
def test_the_value_in_whose_rows_alone_a_number_moved_is_named(where: str, value: str) -> None:
    found = shifted_segment(MEDIAN, "income", BINS, tables(5_001), tables(801, times(12.0, where, value)))
    assert found == f"{where}={value}"


def test_values_that_are_missing_in_one_region_are_named_by_it() -> None:
    assert shifted_segment(None, "income", BINS, tables(5_001), tables(801, missing("region", "south"))) == (
        "region=south"
    )


def test_a_category_that_moved_in_one_region_is_named_by_it() -> None:
    shift = InputShift(input="branch", what="category", before=ANY, now=ANY, category="shop")

    def plant(made: Rows) -> None:
        for at, region in enumerate(made["region"]):
            made["branch"][at] = "shop" if region == "south" else made["branch"][at]

    assert shifted_segment(shift, "branch", BINS, tables(5_001), tables(801, plant)) == "region=south"


@pytest.mark.parametrize("plant", [lambda _: None, times(12.0), times(1.3), missing("branch", "none")])
def test_no_segment_is_named_where_nothing_or_all_rows_moved(plant: Plant) -> None:
    for shift in (MEDIAN, None):
        assert shifted_segment(shift, "income", BINS, tables(5_001), tables(801, plant)) == ""


def test_no_segment_is_named_where_rows_before_are_not_known_or_too_few() -> None:
    planted = times(12.0, "branch", "shop")
    assert shifted_segment(MEDIAN, "income", BINS, iter(()), tables(801, planted)) == ""
    assert shifted_segment(MEDIAN, "income", BINS, tables(40), tables(801, planted)) == ""


def test_where_no_other_input_has_few_categories_there_are_no_segments() -> None:
    bins = (BINS[0], BINS[3])
    assert shifted_segment(MEDIAN, "income", bins, tables(5_001), tables(801, times(12.0, "branch", "shop"))) == ""


def test_another_mix_of_branches_is_no_segment() -> None:
    """More rows by phone raise the median of income, and no branch's own moved."""

    def plant(made: Rows) -> None:
        drawn = rows(len(made["income"]))
        by_phone = [at for at, branch in enumerate(drawn["branch"]) if branch == "phone"]
        for at in range(len(made["income"]) // 2):
            other = by_phone[at % len(by_phone)]
            for name in made:
                made[name][at] = drawn[name][other]

    assert shifted_segment(MEDIAN, "income", BINS, tables(5_001), tables(801, plant)) == ""
