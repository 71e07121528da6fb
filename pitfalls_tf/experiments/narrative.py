"""A finding in words: sentences that follow from the numbers, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from pitfalls_tf.experiments.experiment import Word, overall

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from pitfalls_tf.experiments.experiment import Claim, Finding

WORDS: Final[tuple[Word, ...]] = get_args(Word)
MANY: Final = 6  # findings of one claim: more are counted in a sentence, and listed in a table
FEW: Final = 4  # of these, so many decided ones of a word are named


def paragraph(claims: Sequence[Claim], findings: Sequence[Finding]) -> str:
    """For each claim: what the paper says, what was found where with its interval, and the verdict."""
    return " ".join(_sentences(claim, [one for one in findings if one.claim == claim]) for claim in claims)


def _sentences(claim: Claim, findings: Sequence[Finding]) -> str:
    return (
        f"The paper ({section(claim)}) says that {claim.says}. The {claim.quantity}: {found(findings)}."
        f" Verdict: {overall(findings)}."
    )


def found(findings: Sequence[Finding]) -> str:
    """Each finding with its interval and word; of many, how many there are of each word, and which are rare."""
    if len(findings) <= MANY:
        return "; ".join(f"{one.where} {measured(one)}, {one.word}" for one in findings)
    parts = []
    for word in WORDS:
        these = [one for one in findings if one.word == word]
        named = word != "inconclusive" and len(these) <= FEW
        where = f" ({'; '.join(f'{one.where} {measured(one)}' for one in these)})" if named else ""
        parts += [f"{word} in {len(these)} of {len(findings)}{where}"] if these else []
    return "; ".join(parts)


def section(claim: Claim) -> str:
    """How the paper's section is cited.

    >>> from pitfalls_tf.experiments.experiment import Claim
    >>> section(Claim(name="n", section="3", says="s", quantity="q", above=1))
    '§3'
    """
    return f"§{claim.section}" if claim.section[0].isdigit() else claim.section


def measured(finding: Finding) -> str:
    """The estimate and its interval, with the note if there is one."""
    low, high = finding.interval.low, finding.interval.high
    interval = "no interval" if np.isnan([low, high]).any() else f"{number(low)} to {number(high)}"
    note = f", {finding.note}" if finding.note else ""
    return f"{number(finding.estimate)} ({interval}{note})"


def number(value: object) -> str:
    """Three significant figures, without exponents where they can be spared.

    >>> [number(value) for value in (0.0012345, 12.0, 1234.5, float("nan"), 7, None)]
    ['0.00123', '12', '1234', 'none', '7', 'none']
    """
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "none"
    if not isinstance(value, float):
        return str(value)
    if value == 0 or 1e-5 <= abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:.0f}" if abs(value) < 1e9 and abs(value) >= 1 else f"{value:.2e}"


def markdown(table: pa.Table) -> str:
    """A table in Markdown; numbers to the right."""
    names = table.column_names
    rows = [[number(value).replace("|", "\\|") for value in row.values()] for row in table.to_pylist()]
    aligned = [
        "---:" if any(isinstance(value, int | float) for value in table[name].to_pylist()) else "---" for name in names
    ]
    lines = [names, aligned, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
