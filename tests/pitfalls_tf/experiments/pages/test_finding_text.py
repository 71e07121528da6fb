"""Sentences are generated from the numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import ConfidenceInterval
from pitfalls_tf.experiments.claim import BEYOND, Claim, ClaimFinding
from pitfalls_tf.experiments.claim_verdict import overall_verdict, summarise, verdict_line
from pitfalls_tf.experiments.decisions import ClaimDecision
from pitfalls_tf.experiments.pages.finding_text import claim_text, markdown_table, number_text

numbers = st.floats(-10, 10)
bounds = st.tuples(numbers, numbers).map(sorted)


def decision(claim: Claim, findings: list[ClaimFinding]) -> ClaimDecision:
    """The decision on a claim without a plan."""
    verdict = overall_verdict(findings)
    return ClaimDecision(
        claim=claim,
        findings=tuple(findings),
        details=(),
        kinds=("first runs",) * len(findings),
        verdict=verdict,
        confirmatory_verdict=None,
        line=verdict_line(findings),
        summary=summarise(findings),
        combinations={},
    )


@st.composite
def claims_with_findings(draw: st.DrawFn) -> tuple[Claim, list[ClaimFinding]]:
    """A claim with bounds on one or both sides, and findings."""
    low, high = draw(bounds)
    claim = Claim(
        name="c",
        section="3",
        says="it is so",
        quantity="size",
        above=draw(st.sampled_from([low, -np.inf])),
        below=draw(st.sampled_from([high, np.inf])),
        matters=0.1,
    )
    intervals = draw(st.lists(bounds, min_size=1, max_size=4))
    return claim, [
        ClaimFinding(claim=claim, where=f"place {place}", estimate=low, interval=ConfidenceInterval(low=low, high=high))
        for place, (low, high) in enumerate(intervals)
    ]


@given(claims_with_findings())
def test_the_text_of_a_claim_has_its_question_and_the_verdict_that_follows_from_the_intervals(
    drawn: tuple[Claim, list[ClaimFinding]],
) -> None:
    claim, findings = drawn
    text = claim_text(decision(claim, findings))
    assert claim.question in text
    assert f"? {overall_verdict(findings).capitalize()}: {verdict_line(findings)}." in text
    for one in findings:
        low, high = one.interval.low, one.interval.high
        inside = claim.above < low and high < claim.below
        outside = high <= claim.above or low >= claim.below
        between = "at the bound" if high - low <= 2 * claim.matters else "inconclusive"
        assert one.verdict == ("reproduced" if inside else "not reproduced" if outside else between)


@given(st.floats(-1e300, 1e300))
def test_a_printed_number_has_three_significant_digits(value: float) -> None:
    assert np.isclose(float(number_text(value)), value, rtol=0.006, atol=0)


def test_a_claim_beyond_the_paper_is_not_attributed_to_it() -> None:
    claim = Claim(name="c", section=BEYOND, says="it is so", quantity="q", above=1, matters=0.1)
    finding = ClaimFinding(claim=claim, where="here", estimate=2.0, interval=ConfidenceInterval(low=1.5, high=2.5))
    text = claim_text(decision(claim, [finding]))
    assert text == "Beyond the paper: it is so. Is the q above 1? Reproduced: reproduced on here."


def test_cells_of_a_markdown_table_are_escaped() -> None:
    assert markdown_table(pa.table({"a|b": ["x|y"], "n": [0.123456]})).splitlines()[2] == "| x\\|y | 0.123 |"
