from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.judging.renamed_values import RARE_RENAMED, RENAMED, renamed_values
from monitoring.sentences.finding_text import finding_text

BASELINE = {"A": 500, "B": 300, "long haul": 150, "7": 50}
BINS = Bins(feature="route", categories=tuple(BASELINE))


def counts(values: dict[str, int]) -> FeatureCounts:
    words = np.repeat(np.array(list(values), dtype=object), list(values.values()))
    [found] = ProfileBuilder((BINS,)).count(pa.table({"route": pa.array(words, pa.string())})).features
    return found


def renamed(values: dict[str, int]) -> str:
    found = renamed_values(BINS, counts(BASELINE), counts(values))
    return "" if found is None else finding_text(found.finding("route", is_told=False))


def fact(values: dict[str, int]) -> str | None:
    """The kind of the fact that a window shows; None where it is none."""
    found = renamed_values(BINS, counts(BASELINE), counts(values))
    return None if found is None or not found.spelled else found.kind


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
    assert renamed_values(bins, FeatureCounts((1, 1)), FeatureCounts((1, 1))) is None


@pytest.mark.parametrize("name", ["LONG HAUL", "long_haul", "Long-Haul ", "longhaul", "lóng haul"])
def test_a_new_spelling_of_a_common_category_is_a_fact_whatever_its_share(name: str) -> None:
    assert fact({"A": 500, "B": 300, name: 150, "7": 50}) == RENAMED
    assert fact({"A": 510, "B": 305, name: 82, "7": 50, "long haul": 3}) == RENAMED


def test_a_new_spelling_of_a_rare_category_is_a_notice() -> None:
    assert fact({"A": 100, "B": 60, "long_haul": 28, "7": 10}) == RENAMED
    window = {"A": 1_000, "B": 600, "long haul": 360, "7.0": 40}
    rare = renamed_values(BINS, counts({**BASELINE, "A": 1_000, "7": 40}), counts(window))
    assert rare is not None
    assert (rare.kind, rare.spelled) == (RARE_RENAMED, True)  # 3 % of the baseline's rows


@pytest.mark.parametrize(
    "window",
    [
        {"A": 500, "express": 300, "long haul": 150, "7": 50},  # another name with as many rows
        {"A": 500, "b": 100, "B": 200, "long haul": 150, "7": 50},  # the old name is still there
        {"A": 700, "b": 100, "long haul": 150, "7": 50},  # too few rows of the new one
        {"A+": 500, "B": 300, "long haul": 150, "7": 50},  # another grade
        {"A": 50, "B": 30, "LONG HAUL": 15, "7": 5},  # too few rows to say that one is gone
    ],
)
def test_what_chance_or_another_code_explains_is_no_fact_of_spelling(window: dict[str, int]) -> None:
    assert fact(window) is None


def test_windows_that_vary_by_chance_show_no_renamed_category() -> None:
    generator = np.random.default_rng(0)
    names, shares = [*BASELINE, "a", "b", "7.0"], np.array([0.5, 0.3, 0.145, 0.045, 0.004, 0.004, 0.002])
    for _ in range(500):
        weights = shares * generator.gamma(4.0, size=7).clip(0.1)
        rows = generator.multinomial(int(generator.integers(20, 2_000)), weights / weights.sum())
        assert fact({name: int(count) for name, count in zip(names, rows, strict=True) if count}) is None


def test_a_new_spelling_is_no_second_fact_about_an_input() -> None:
    found = renamed_values(BINS, counts(BASELINE), counts({"A": 500, "b": 300, "long haul": 150, "7": 50}))
    assert found is not None
    assert [found.finding("route", is_told=told).fact for told in (False, True)] == [True, False]
