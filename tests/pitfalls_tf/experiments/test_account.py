"""Words follow from numbers."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.experiment import Claim, Finding, overall
from pitfalls_tf.experiments.narrative import markdown, number, paragraph

numbers = st.floats(-10, 10)
bounds = st.tuples(numbers, numbers).map(sorted)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[Claim, list[Finding]]:
    """A claim with bounds on one or both sides, and findings."""
    low, high = draw(bounds)
    claim = Claim(
        name="c",
        section="3",
        says="it is so",
        quantity="size",
        above=draw(st.sampled_from([low, -np.inf])),
        below=draw(st.sampled_from([high, np.inf])),
    )
    intervals = draw(st.lists(bounds, min_size=1, max_size=4))
    return claim, [
        Finding(claim=claim, where=f"place {place}", estimate=low, interval=ConfidenceInterval(low=low, high=high))
        for place, (low, high) in enumerate(intervals)
    ]


@given(accounts())
def test_the_words_of_the_paragraph_follow_from_the_intervals(account: tuple[Claim, list[Finding]]) -> None:
    claim, findings = account
    text = paragraph([claim], findings)
    words = re.findall(r"place \d [^;]*?\), (not reproduced|reproduced|inconclusive)", text)
    assert len(words) == len(findings)
    for word, one in zip(words, findings, strict=True):
        low, high = one.interval.low, one.interval.high
        inside = claim.above < low and high < claim.below
        outside = high <= claim.above or low >= claim.below
        assert word == ("reproduced" if inside else "not reproduced" if outside else "inconclusive")
    (verdict,) = re.findall(r"Verdict: ([a-z ]+)\.", text)
    assert verdict == (words[0] if len(set(words)) == 1 else "inconclusive")


@given(accounts())
def test_an_unknown_interval_decides_nothing(account: tuple[Claim, list[Finding]]) -> None:
    claim, _ = account
    unknown = ConfidenceInterval(low=float("nan"), high=float("nan"))
    finding = Finding(claim=claim, where="here", estimate=float("nan"), interval=unknown)
    assert overall([finding]) == "inconclusive"
    assert "none (no interval), inconclusive" in paragraph([claim], [finding])


def test_of_many_findings_the_words_are_counted_and_the_rare_ones_named() -> None:
    claim = Claim(name="c", section="3", says="s", quantity="q", above=1)
    bounds = [(2.0, 3.0)] * 5 + [(0.0, 0.5)] + [(0.0, 2.0)] * 2
    findings = [
        Finding(claim=claim, where=f"place {place}", estimate=1.0, interval=ConfidenceInterval(low=low, high=high))
        for place, (low, high) in enumerate(bounds)
    ]
    text = paragraph([claim], findings)
    assert "reproduced in 5 of 8; not reproduced in 1 of 8 (place 5 1 (0 to 0.5)); inconclusive in 2 of 8" in text


def test_a_rule_names_its_bounds() -> None:
    both = Claim(name="c", section="3", says="s", quantity="share left", above=0.1, below=0.9, because="Because.")
    assert "between 0.1 and 0.9" in both.rule
    assert both.rule.endswith("Because.")
    assert "is below 2;" in Claim(name="c", section="3", says="s", quantity="q", below=2).rule


@given(st.floats(-1e300, 1e300))
def test_a_printed_number_is_right_to_three_figures(value: float) -> None:
    assert np.isclose(float(number(value)), value, rtol=0.006, atol=0)


def test_a_table_in_markdown() -> None:
    assert markdown(pa.table({"a|b": ["x|y"], "n": [0.123456]})).splitlines()[2] == "| x\\|y | 0.123 |"
