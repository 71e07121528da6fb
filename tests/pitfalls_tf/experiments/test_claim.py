"""Claims, their decision rules and verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.claim import Claim, ClaimFinding

numbers = st.floats(-10, 10)


def claim(*, above: float = -np.inf, below: float = np.inf, because: str = "") -> Claim:
    """A claim with these bounds."""
    return Claim(
        name="c", section="3", says="s", quantity="share left", above=above, below=below, because=because, matters=0.1
    )


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
    ("where", "source"), [("flights", "flights"), ("flights, dropout", "flights"), ("digits: class balanced", "digits")]
)
def test_the_source_is_the_first_word(where: str, source: str) -> None:
    assert replace(finding(claim(above=1), 2, 3), where=where).source == source


def test_a_replaced_rule_has_a_verdict_of_its_own() -> None:
    renewed = replace(claim(above=1), first=claim(above=0))
    one = finding(renewed, 0.2, 0.8)
    assert (one.verdict, one.first_verdict) == ("not reproduced", "reproduced")
    assert finding(claim(above=1), 0.2, 0.8).first_verdict == "not reproduced"


def test_the_smallest_effect_is_a_difference_or_a_factor() -> None:
    assert claim(above=1).distance == pytest.approx(0.1)
    factor = replace(claim(above=1), scale="log", matters=2.0)
    assert factor.distance == pytest.approx(np.log(2))
    assert factor.smallest_effect == "a factor of 2"


def test_the_standard_error_is_that_of_the_interval_on_the_claims_scale() -> None:
    factor = replace(claim(above=1), scale="log", matters=2.0)
    half = 1.959963984540054 * 0.3
    assert finding(factor, np.exp(1 - half), np.exp(1 + half)).standard_error == pytest.approx(0.3)
