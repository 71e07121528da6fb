"""The verdict on a claim from those of its sources."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.claim import Claim, ClaimFinding
from pitfalls_tf.experiments.claim_verdict import overall_verdict, summarise, verdict_line

CLAIM = Claim(name="c", section="3", says="s", quantity="q", above=1, matters=0.1)
# An interval of each verdict, far enough apart that their effects differ.
INTERVALS = {"reproduced": (2.0, 3.0), "not reproduced": (-2.0, -1.0), "inconclusive": (0.5, 1.5)}
verdicts = st.sampled_from(sorted(INTERVALS))


def findings(*of_sources: str) -> list[ClaimFinding]:
    """A finding of each verdict, of sources a, b, c and so on."""
    return [finding(name, *INTERVALS[verdict]) for name, verdict in zip("abcdef", of_sources, strict=False)]


def finding(source: str, low: float, high: float) -> ClaimFinding:
    """A finding with this interval."""
    return ClaimFinding(
        claim=CLAIM, where=source, estimate=(low + high) / 2, interval=ConfidenceInterval(low=low, high=high)
    )


@pytest.mark.parametrize(
    ("sources", "without_power", "verdict"),
    [
        (("reproduced", "reproduced"), "", "reproduced"),
        (("not reproduced",), "", "not reproduced"),
        (("reproduced", "not reproduced"), "", "depends on the data"),
        (("reproduced", "not reproduced", "inconclusive"), "", "depends on the data"),
        (("reproduced", "reproduced", "inconclusive"), "", "inconclusive"),
        (("reproduced", "reproduced", "inconclusive"), "c", "reproduced"),
        (("reproduced", "inconclusive"), "b", "inconclusive"),
        (("inconclusive", "inconclusive"), "ab", "inconclusive"),
    ],
)
def test_decided_sources_decide(sources: tuple[str, ...], without_power: str, verdict: str) -> None:
    assert overall_verdict(findings(*sources), without_power=set(without_power)) == verdict


def test_two_measures_of_a_source_that_disagree_are_a_verdict() -> None:
    both = [finding("a", 2.0, 3.0), replace(finding("a", -2.0, -1.0), where="a, relative to the mean")]
    assert overall_verdict([*both, *findings("reproduced")]) == "depends on the measure"
    assert verdict_line(both) == "by the measure on a"


def test_a_source_at_the_bound_leaves_the_claim_there() -> None:
    between = CLAIM.above + 0.4 * CLAIM.matters
    narrow = finding("b", between - 0.9 * CLAIM.matters, between + 0.9 * CLAIM.matters)
    assert narrow.verdict == "at the bound"
    assert overall_verdict([*findings("reproduced"), narrow]) == "at the bound"
    assert overall_verdict([*findings("inconclusive"), narrow]) == "inconclusive"


@given(st.lists(verdicts, min_size=1, max_size=6), st.sets(st.sampled_from("abcdef")))
def test_no_verdict_is_against_a_decided_source(of_sources: list[str], without_power: set[str]) -> None:
    verdict = overall_verdict(findings(*of_sources), without_power=without_power)
    if verdict in {"reproduced", "not reproduced"}:
        assert set(of_sources) <= {verdict, "inconclusive"}
    assert (verdict == "depends on the data") == ({"reproduced", "not reproduced"} <= set(of_sources))


def test_sources_on_both_sides_that_may_have_the_same_effect_decide_nothing() -> None:
    """Two intervals that touch the bound from both sides differ by less than their errors."""
    touching = [finding("a", 1.01, 5.0), finding("b", -3.0, 0.99)]
    assert [one.verdict for one in touching] == ["reproduced", "not reproduced"]
    summary = summarise(touching)
    assert summary is not None
    assert overall_verdict(touching) == ("depends on the data" if summary.p_value < 0.01 else "inconclusive")
    wide = [finding("a", 1.01, 9.0), finding("b", -20.0, 0.99)]
    assert overall_verdict(wide) == "inconclusive"


def test_the_line_names_the_sources_of_each_verdict() -> None:
    line = verdict_line(findings("reproduced", "not reproduced", "inconclusive", "reproduced"))
    assert line == "reproduced on a, d; not on b; undecided on c"
    assert verdict_line(findings("not reproduced")) == "not reproduced on a"


def test_a_summary_needs_two_known_intervals() -> None:
    unknown = finding("b", float("nan"), float("nan"))
    assert summarise([finding("a", 1.0, 2.0), unknown]) is None


def test_the_summary_of_equal_effects_is_narrower_than_each_and_not_heterogeneous() -> None:
    summary = summarise([finding(name, 1.0, 2.0) for name in "abcd"])
    assert summary is not None
    assert summary.estimate == pytest.approx(1.5)
    assert summary.interval.high - summary.interval.low < 1
    assert summary.heterogeneity == 0
    assert summary.p_value == pytest.approx(1)


def test_the_summary_of_sources_with_effects_of_their_own_covers_their_mean() -> None:
    """Of 200 repetitions with 6 sources each, 95 % intervals miss the mean in 10 on average."""
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(200):
        effects = 2 + 0.5 * rng.standard_normal(6)
        measured = effects + 0.2 * rng.standard_normal(6)
        summary = summarise([finding("abcdef"[place], one - 0.392, one + 0.392) for place, one in enumerate(measured)])
        assert summary is not None
        missed += not summary.interval.low < 2 < summary.interval.high
    assert missed <= 20
