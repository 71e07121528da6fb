from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.renamed_values import renamed_values

BASELINE = {"A": 500, "B": 300, "long haul": 150, "7": 50}
BINS = Bins(feature="route", categories=tuple(BASELINE))


def counts(values: dict[str, int]) -> FeatureCounts:
    words = np.repeat(np.array(list(values), dtype=object), list(values.values()))
    [found] = ProfileBuilder((BINS,)).count(pa.table({"route": pa.array(words, pa.string())})).features
    return found


def renamed(values: dict[str, int]) -> str:
    return renamed_values(BINS, counts(BASELINE), counts(values))


def test_a_category_in_other_letters_is_named_with_its_shares() -> None:
    assert renamed({"a": 490, "B": 310, "long haul": 150, "7": 50}) == (
        "The category `A` of route was renamed to `a`: 50 % of the baseline's rows, 49 % of this window's."
    )


@pytest.mark.parametrize(("old", "new"), [("long haul", "Long-Haul"), ("long haul", " long_haul "), ("7", "7.0")])
def test_spaces_punctuation_and_the_notation_of_a_number_do_not_make_another_category(old: str, new: str) -> None:
    window = {(new if word == old else word): count for word, count in BASELINE.items()}
    assert f"`{old}` of route was renamed to `{new}`" in renamed(window)


def test_a_new_name_that_is_nothing_like_the_old_is_told_by_its_rows() -> None:
    assert "`B` of route was renamed to `express`" in renamed({"A": 510, "express": 290, "long haul": 150, "7": 50})


def test_several_renamed_categories_are_one_sentence() -> None:
    assert renamed({"a": 500, "b": 300, "LONG HAUL": 150, "7.0": 50}) == (
        "4 categories of route were renamed: `A` to `a`, `B` to `b`, `long haul` to `LONG HAUL`, …."
    )


def test_categories_that_became_numbers_are_named_so() -> None:
    assert renamed({"1": 500, "2": 301, "3": 140, "7": 59}).startswith(
        "The values of route are numbers now, such as `1` and `2`."
    )


@pytest.mark.parametrize(
    "window",
    [
        BASELINE,
        {**BASELINE, "new": 300},  # nothing is gone
        {"A": 800, "long haul": 150, "7": 50},  # nothing is new
        {"A": 500, "x": 150, "y": 149, "long haul": 150, "7": 50},  # split in two
        {"A": 10, "b": 6, "long haul": 3, "7": 1},  # too few rows
    ],
)
def test_what_only_came_or_went_was_not_renamed(window: dict[str, int]) -> None:
    assert renamed(window) == ""


def test_numbers_have_no_categories() -> None:
    bins = Bins(feature="x", edges=(1.0,))
    assert renamed_values(bins, FeatureCounts((1, 1)), FeatureCounts((1, 1))) == ""
