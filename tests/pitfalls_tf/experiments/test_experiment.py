"""Claims, their decision rules and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.experiment import Claim, ClaimFinding, overall_verdict

numbers = st.floats(-10, 10)


def claim(*, above: float = -np.inf, below: float = np.inf, because: str = "") -> Claim:
    """A claim with these bounds."""
    return Claim(name="c", section="3", says="s", quantity="share left", above=above, below=below, because=because)


def finding(of: Claim, low: float, high: float) -> ClaimFinding:
    """A finding with this interval."""
    return ClaimFinding(
        claim=of, where="flights", estimate=(low + high) / 2, interval=ConfidenceInterval(low=low, high=high)
    )


def test_a_rule_names_its_bounds_and_their_reason() -> None:
    both = claim(above=0.1, below=0.9, because="Because.")
    assert "between 0.1 and 0.9; not reproduced if the whole interval is outside these bounds" in both.rule
    assert both.rule.endswith("Because.")
    assert "is below 2; not reproduced if the whole interval is at or above 2" in claim(below=2).rule
    assert "is above 2; not reproduced if the whole interval is at or below 2" in claim(above=2).rule


@given(numbers, numbers, numbers)
def test_a_verdict_needs_the_whole_interval_on_one_side_of_the_bound(bound: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    verdict = finding(claim(above=bound), low, high).verdict
    assert (verdict == "reproduced") == (low > bound)
    assert (verdict == "not reproduced") == (high <= bound)


@given(numbers, numbers, numbers)
def test_a_mirrored_claim_has_the_same_verdict(bound: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    above, below = finding(claim(above=bound), low, high), finding(claim(below=-bound), -high, -low)
    assert above.verdict == below.verdict


def test_an_unknown_interval_decides_nothing() -> None:
    assert finding(claim(above=0.5), float("nan"), float("nan")).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("intervals", "verdict"),
    [
        ([(2, 3), (4, 5)], "reproduced"),
        ([(-2, 0), (-1, 1)], "not reproduced"),
        ([(2, 3), (0, 0.5)], "inconclusive"),
        ([(0, 2)], "inconclusive"),
    ],
)
def test_findings_that_disagree_make_the_claim_inconclusive(intervals: list[tuple[float, float]], verdict: str) -> None:
    assert overall_verdict([finding(claim(above=1), low, high) for low, high in intervals]) == verdict
