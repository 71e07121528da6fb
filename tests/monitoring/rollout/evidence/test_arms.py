"""Two versions of which each answers other rows: intervals of both, and units that count once."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.rollout.evidence.arms import compare_arms, unit_sums
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.evidence.terms import Rules

ALPHA = 0.1


def days(rng: np.random.Generator, share: float, *, count: int = 30, units: int = 200) -> list[PairedSums]:
    return [unit_sums(rng.binomial(1, share, units).astype(np.float64), np.arange(units)) for _ in range(count)]


@pytest.mark.slow
def test_equal_versions_are_told_apart_as_rarely_as_is_allowed() -> None:
    rules = Rules(margin=0.0, alpha=ALPHA)
    wrong = {"better": 0, "worse": 0}
    for seed in range(120):
        rng = np.random.default_rng(seed)
        champion, candidate = days(rng, 0.2), days(rng, 0.2)
        words = {compare_arms(champion[:count], candidate[:count], rules).word for count in range(1, 31)}
        for word in wrong:
            wrong[word] += word in words
    assert max(wrong.values()) <= ALPHA * 120 + 3 * np.sqrt(ALPHA * 0.9 * 120)


def test_evidence_of_harm_is_an_e_value_of_equal_versions_and_grows_with_harm() -> None:
    rules = Rules(margin=0.01, alpha=ALPHA)
    worst = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        worst.append(compare_arms(days(rng, 0.2), days(rng, 0.2), rules).log_harm)
    assert np.exp(worst).mean() <= 1.0
    rng = np.random.default_rng(0)
    assert compare_arms(days(rng, 0.2), days(rng, 0.3), rules).log_harm > np.log(1e3)


def test_days_that_are_bad_for_both_versions_cancel_and_days_of_one_widen_the_interval() -> None:
    rng, rules = np.random.default_rng(0), Rules(margin=0.01, alpha=ALPHA)

    def arm(shares: np.ndarray) -> list[PairedSums]:
        return [days(rng, share, count=1, units=4_000)[0] for share in shares]

    both = 0.2 + rng.normal(0.0, 0.03, 20)
    shared = compare_arms(arm(both), arm(both), rules)
    apart = compare_arms(arm(both), arm(0.2 + rng.normal(0.0, 0.03, 20)), rules)
    assert apart.interval.half_width > 1.5 * shared.interval.half_width
    assert apart.days == shared.days == 20


def test_requests_of_one_unit_count_once() -> None:
    once = unit_sums(np.array([1.0, 0.0]), np.array([0, 1]))
    often = unit_sums(np.array([1.0] * 50 + [0.0]), np.array([0] * 50 + [1]))
    assert once == often


def test_labels_that_did_not_come_widen_the_interval_by_what_they_could_be() -> None:
    rng = np.random.default_rng(0)
    values = rng.binomial(1, 0.2, 2_000).astype(np.float64)
    gone = np.where(rng.random(2_000) < 0.1, np.nan, values)
    units = np.arange(2_000)
    whole, part = (
        compare_arms([unit_sums(one, units)] * 8, [unit_sums(one, units)] * 8, Rules(margin=0.01))
        for one in (values, gone)
    )
    assert part.interval.half_width > whole.interval.half_width + 0.19
    assert part.at_random.half_width == pytest.approx(whole.interval.half_width, rel=0.1)


@pytest.mark.parametrize("sides", [([], []), ([PairedSums()], [PairedSums.of(np.ones(500))])])
def test_without_units_of_both_nothing_can_be_told(sides: tuple[list[PairedSums], list[PairedSums]]) -> None:
    found = compare_arms(*sides, Rules(margin=0.01))
    assert (found.word, found.log_harm, found.needed_rows) == ("can't tell yet", 0.0, None)
