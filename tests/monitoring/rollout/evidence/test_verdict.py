"""Four verdicts, the guards that a promotion needs, and harm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.rollout.evidence.confidence_sequence import DifferenceInterval
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import BETTER, CANNOT_TELL, NO_DIFFERENCE, WORSE, Rules
from monitoring.rollout.evidence.verdict import Comparison, compare, decide, word_of


def windows(better: float, worse: float, *, days: int = 10, rows: int = 2_000, seed: int = 0) -> list[PairedSums]:
    """Days of rows on some of which one version alone is right."""
    rng = np.random.default_rng(seed)
    shares = [better, 1.0 - better - worse, worse]
    return [PairedSums.of(rng.choice([-1.0, 0.0, 1.0], rows, p=shares)) for _ in range(days)]


def comparison(better: float, worse: float, *, margin: float = 0.005, days: int = 20) -> Comparison:
    return compare(windows(better, worse, days=days), Rules(margin=margin))


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 0.1))
def test_every_interval_has_one_verdict_and_a_narrower_one_never_contradicts_it(
    one: float, other: float, margin: float
) -> None:
    low, high = sorted((one, other))
    word = word_of(DifferenceInterval(low=low, high=high, mean=low), margin)
    middle = (low + high) / 2
    narrower = word_of(DifferenceInterval(low=(low + middle) / 2, high=(high + middle) / 2, mean=middle), margin)
    assert word in (CANNOT_TELL, narrower)


@pytest.mark.parametrize(
    ("better", "worse", "word"),
    [(0.05, 0.01, BETTER), (0.01, 0.05, WORSE), (0.001, 0.001, NO_DIFFERENCE), (0.021, 0.016, CANNOT_TELL)],
)
def test_rows_lead_to_the_verdict_that_is_true(better: float, worse: float, word: str) -> None:
    found = comparison(better, worse)
    assert found.word == word
    assert (found.needed_rows is None) == (word != CANNOT_TELL)


def test_the_rows_that_are_needed_are_about_those_that_it_takes() -> None:
    found = comparison(0.03, 0.015, days=4)
    assert found.word == CANNOT_TELL
    assert found.needed_rows is not None
    days = 4 + math.ceil(found.needed_rows / 2_000)
    assert comparison(0.03, 0.015, days=3 * days).word == BETTER


def test_a_measure_in_another_unit_has_the_same_verdict() -> None:
    days = windows(0.05, 0.01)
    minutes = compare(days, Rules(margin=0.3, scale=60.0))
    assert minutes.word == BETTER
    assert minutes.interval.high == pytest.approx(60.0 * compare(days, Rules(margin=0.005)).interval.high)


def test_the_width_is_that_of_the_rows_and_what_days_and_missing_labels_add() -> None:
    rng = np.random.default_rng(0)

    def seen(spread: float, missing: float) -> Comparison:
        days = []
        for shift in np.clip(rng.normal(0.0, spread, 20), -0.03, 0.03):
            differences = rng.choice([-1.0, 0.0, 1.0], 2_000, p=[0.03 - shift / 2, 0.94, 0.03 + shift / 2])
            is_missing = (differences != 0.0) & (rng.random(2_000) < missing)
            days.append(PairedSums.of(np.where(is_missing, np.nan, differences), largest=np.abs(differences)))
        return compare(days, Rules(margin=0.3, scale=60.0))

    alike, differ, lacking = (seen(*values) for values in ((0.0, 0.0), (0.02, 0.0), (0.0, 0.2)))
    for found in (alike, differ, lacking):
        assert sum(found.widths) == pytest.approx(found.interval.half_width)
        assert min(found.widths) >= 0.0
    assert differ.widths[1] > 2.0 * alike.widths[1]
    assert alike.widths[2] == differ.widths[2] == 0.0
    assert 0.3 < lacking.widths[2] < 60.0 * 0.06 * 0.2  # a fifth of the six in a hundred, at most


def test_without_rows_nothing_can_be_told_even_where_any_difference_matters_little() -> None:
    found = compare([], Rules(margin=2.0))
    assert found.word == CANNOT_TELL
    assert found.needed_rows is None


def test_a_promotion_needs_the_primary_loss_and_every_guard() -> None:
    better, equal = comparison(0.05, 0.01), comparison(0.002, 0.002)
    assert decide(better, {"day": equal}, require="better", alpha=0.05).promotable
    assert not decide(equal, {}, require="better", alpha=0.05).promotable
    assert decide(equal, {}, require="not worse", alpha=0.05).promotable
    worse = decide(better, {"day": equal, "origin=JFK": comparison(0.01, 0.05)}, require="better", alpha=0.05)
    assert worse.verdict == BETTER
    assert not worse.promotable
    assert len(worse.reasons) == 1
    assert "origin=JFK is worse" in worse.reasons[0]
    young = decide(better, {"origin=LGA": comparison(0.02, 0.02, days=1)}, require="better", alpha=0.05)
    assert "origin=LGA is not shown to be not worse yet" in young.reasons[0]


def test_an_obstacle_is_never_a_pass() -> None:
    found = decide(comparison(0.05, 0.01), {}, require="not worse", alpha=0.05, obstacles=("The shadow is dead.",))
    assert found.verdict == CANNOT_TELL
    assert not found.promotable
    assert found.reasons == ("The shadow is dead.",)


def test_one_harmful_slice_is_found_among_a_hundred_guards() -> None:
    equal, harmful = comparison(0.002, 0.002), comparison(0.01, 0.05)
    guards = {f"slice {number}": equal for number in range(100)}
    assert not decide(equal, guards, require="better", alpha=0.05).harmful
    assert decide(equal, guards | {"slice 7": harmful}, require="better", alpha=0.05).harmful


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8))
def test_harm_is_the_mean_of_the_e_values(logs: list[float]) -> None:
    one = comparison(0.002, 0.002, days=1)
    parts = [Comparison(**{name: getattr(one, name) for name in one.__slots__} | {"log_harm": log}) for log in logs]
    guards = {str(number): part for number, part in enumerate(parts[1:])}
    found = decide(parts[0], guards, require="better", alpha=0.05)
    assert found.log_harm == pytest.approx(math.log(np.mean(np.exp(np.array(logs) - max(logs)))) + max(logs))
