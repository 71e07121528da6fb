"""Findings in words: every sentence is generated from the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pitfalls_tf.experiments.claim import BEYOND

if TYPE_CHECKING:
    import pyarrow as pa

    from pitfalls_tf.experiments.claim import Claim, ClaimFinding
    from pitfalls_tf.experiments.decisions import ClaimDecision


def claim_text(decision: ClaimDecision) -> str:
    """What a claim says, its question, and the verdicts of its sources."""
    claim = decision.claim
    source = "Beyond the paper:" if claim.section == BEYOND else f"The paper ({section_text(claim)}) says that"
    verdict = f"{decision.verdict}: {decision.line}. {summary_text(decision)}"
    return f"{source} {claim.says}. {claim.question} {verdict[0].upper()}{verdict[1:]}".rstrip()


def summary_text(decision: ClaimDecision) -> str:
    """The random-effects summary of a claim's sources in a sentence; empty without one."""
    summary = decision.summary
    if summary is None:
        return ""
    low, high = number_text(summary.interval.low), number_text(summary.interval.high)
    p_value = "below .0001" if summary.p_value < 1e-4 else number_text(summary.p_value)
    return (
        f"Mean of sources like these (random effects): {number_text(summary.estimate)} ({low} to {high});"
        f" heterogeneity {summary.heterogeneity:.0%}, p {p_value}.".replace("%", " %")
    )


def section_text(claim: Claim) -> str:
    """How to cite the claim's section.

    >>> from pitfalls_tf.experiments.claim import Claim
    >>> section_text(Claim(name="n", section="3", says="s", quantity="q", above=1, matters=1))
    '§3'
    """
    return f"§{claim.section}" if claim.section[0].isdigit() else claim.section


def estimate_text(finding: ClaimFinding) -> str:
    """The estimate with its interval, and the note if there is one."""
    low, high = finding.interval.low, finding.interval.high
    interval = "no interval" if np.isnan([low, high]).any() else f"{number_text(low)} to {number_text(high)}"
    note = f", {finding.note}" if finding.note else ""
    return f"{number_text(finding.estimate)} ({interval}{note})"


def number_text(value: object) -> str:
    """Format a number with three significant digits, without an exponent where possible.

    Returns:
        The text; `none` for None and NaN.

    >>> [number_text(value) for value in (0.0012345, 12.0, 1234.5, float("nan"), 7, None)]
    ['0.00123', '12', '1234', 'none', '7', 'none']
    """
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "none"
    if not isinstance(value, float):
        return str(value)
    if value == 0 or 1e-5 <= abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:.0f}" if abs(value) < 1e9 and abs(value) >= 1 else f"{value:.2e}"


def markdown_table(table: pa.Table) -> str:
    """A table in Markdown, with numbers aligned to the right."""
    names = table.column_names
    rows = [[number_text(value).replace("|", "\\|") for value in row.values()] for row in table.to_pylist()]
    aligned = [
        "---:" if any(isinstance(value, int | float) for value in table[name].to_pylist()) else "---" for name in names
    ]
    lines = [names, aligned, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
