"""Better, worse or inconclusive, and how many seeds would decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.verdicts.scores import PairedScores, PairedSetup
from pitfalls_tf.verdicts.verdict import AFFORDABLE_SEEDS, Verdict, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gains = NDArray[np.float64]


def pairs(gains: Gains, *, larger_is_better: bool = True) -> PairedScores:
    """Setup A with these gains [domains, seeds] over a setup B whose every score is .5."""
    sign = 1.0 if larger_is_better else -1.0
    base = np.full_like(gains, 0.5)
    return PairedScores(
        metric="auc" if larger_is_better else "brier",
        larger_is_better=larger_is_better,
        domains=tuple(f"d{place}" for place in range(len(gains))),
        seeds=tuple(range(gains.shape[1])),
        a=PairedSetup(setup="new", origin="a.csv", values=base + sign * gains, fingerprint="fa"),
        b=PairedSetup(setup="old", origin="b.csv", values=base, fingerprint="fb"),
        left_out=(),
    )


def noisy(rng: np.random.Generator, mean: float, shape: tuple[int, int], sd: float = 0.002) -> Gains:
    gains: Gains = mean + rng.normal(0, sd, shape)
    return gains


@pytest.mark.parametrize("larger_is_better", [True, False])
def test_a_clear_gain_is_better_and_its_opposite_worse(rng: np.random.Generator, *, larger_is_better: bool) -> None:
    gains = noisy(rng, 0.02, (4, 8))
    better, worse = (judge(pairs(sign * gains, larger_is_better=larger_is_better)) for sign in (1, -1))
    assert (better.outcome, worse.outcome) == ("better", "worse")
    assert better.gain == pytest.approx(gains.mean()) == pytest.approx(-worse.gain)
    assert (better.probability, worse.probability) == (1.0, 0.0)
    assert better.more_seeds is None
    assert {one.verdict.outcome for one in better.domains} == {"better"}


def test_the_interval_must_be_beyond_the_smallest_difference_and_not_only_beyond_zero(rng: np.random.Generator) -> None:
    found = judge(pairs(noisy(rng, 0.006, (4, 8))), smallest=0.005)
    assert found.overall.interval.low > 0
    assert found.outcome == "inconclusive"
    assert judge(pairs(noisy(rng, 0.006, (4, 8))), smallest=0.0).outcome == "better"


def test_the_estimated_number_of_further_seeds_decides_about_half_the_time(rng: np.random.Generator) -> None:
    few = judge(pairs(rng.normal(0.02, 0.02, (1, 6))))
    assert few.outcome == "inconclusive"
    assert few.more_seeds is not None
    decided = 0
    for _ in range(40):
        gains = rng.normal(few.gain, np.sqrt(few.variances.between_seeds), (1, 6 + few.more_seeds))
        decided += judge(pairs(gains)).outcome == "better"
    # The number makes the expected interval just reach: about half of repetitions decide, and 30 to 70 % of 40 do.
    assert 12 <= decided <= 38
    assert f"About {few.more_seeds} more seeds" in few.reason


def reasons(verdict: Verdict) -> str:
    assert verdict.outcome == "inconclusive"
    assert verdict.more_seeds is None
    return verdict.reason


def test_the_reason_names_why_no_affordable_number_of_seeds_decides(rng: np.random.Generator) -> None:
    domains_differ = np.array([[0.10], [-0.08], [0.05]]) + rng.normal(0, 0.001, (3, 10))
    assert "more domains might" in reasons(judge(pairs(domains_differ)))
    assert "not larger than" in reasons(judge(pairs(0.004 + np.tile([0.02, -0.02], 5)[None])))
    assert "no difference that matters" in reasons(judge(pairs(noisy(rng, 0.0, (1, 10), sd=0.001))))
    tiny = 0.006 + np.tile([0.1, -0.1], 10)[None]
    assert f"More than {AFFORDABLE_SEEDS} seeds" in reasons(judge(pairs(tiny)))


def test_a_verdict_on_these_domains_does_not_extend_to_domains_like_these(rng: np.random.Generator) -> None:
    gains = np.array([[0.01], [0.05], [0.09]]) + rng.normal(0, 0.002, (3, 10))
    found = judge(pairs(gains))
    assert found.these_domains.outcome == "better"
    assert found.outcome == "inconclusive"
    assert found.these_domains.interval.low > found.overall.interval.low


def test_the_worst_domain_is_that_of_the_new_setup(rng: np.random.Generator) -> None:
    gains = np.array([[0.03], [-0.04], [0.02]]) + rng.normal(0, 0.001, (3, 6))
    for larger_is_better in (True, False):
        worst = judge(pairs(gains, larger_is_better=larger_is_better)).worst_domain
        assert (worst.domain, worst.verdict.outcome) == ("d1", "worse")


def test_the_same_scores_give_the_same_verdict(rng: np.random.Generator) -> None:
    gains = rng.normal(0.01, 0.01, (3, 5))
    assert judge(pairs(gains)) == judge(pairs(gains))


@pytest.mark.parametrize("smallest", [-0.1, float("nan")])
def test_invalid_input_is_refused(smallest: float) -> None:
    with pytest.raises(BadInput, match="must not be negative"):
        judge(pairs(np.zeros((1, 5))), smallest=smallest)
    with pytest.raises(BadInput, match="Too few seeds"):
        judge(pairs(np.zeros((3, 1))))
