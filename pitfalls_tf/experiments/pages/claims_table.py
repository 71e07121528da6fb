"""The table of all claims: one row per claim, one mark per source."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pitfalls_tf.experiments.claim_verdict import ClaimVerdict

SOURCES: Final = ("flights", "rodents", "digits", "letters")
MARKS: Final[dict[ClaimVerdict, str]] = {
    "reproduced": "✔",
    "not reproduced": "✘",
    "depends on the data": "≠",
    "inconclusive": "?",
}
WIDTH: Final = 118  # characters of a line


def claims_table(documents: Iterable[dict[str, Any]]) -> list[str]:
    """Count the verdicts and tabulate them.

    >>> first = {"where": "flights", "verdict": "reproduced"}
    >>> second = {"where": "rodents, x", "verdict": "inconclusive"}
    >>> claim = {"name": "plateaus", "verdict": "inconclusive", "findings": [first, second]}
    >>> print(claims_table([{"experiment": "figure1", "quick": False, "claims": [claim]}])[-1])
    | [figure1](figure1/README.md): plateaus | ✔ | ? | | | **inconclusive** | |
    """
    rows: list[str] = []
    of_claims, of_findings = Counter[str](), Counter[str]()
    for document in documents:
        for claim in document["claims"]:
            findings = claim["findings"]
            of_claims[claim["verdict"]] += 1
            of_findings.update(one["verdict"] for one in findings)
            link = f"[{document['experiment']}]({document['experiment']}/README.md): {claim['name']}"
            marks = [_marks([one["verdict"] for one in findings if _source(one["where"]) == name]) for name in SOURCES]
            quick = " (quick run)" if document["quick"] else ""
            cells = [link, *marks, f"**{claim['verdict']}**{quick}", claim.get("first_verdict", "")]
            rows.append("".join(f"| {cell} " if cell else "| " for cell in cells) + "|")
    text = (
        f"Claims: {_counts(of_claims)}. Findings, one per source and claim: {_counts(of_findings)}."
        " ✔ means reproduced, ✘ not reproduced, ? inconclusive. The last column is the verdict before the plan: the"
        " first runs by the first rules."
    )
    head = [f"| claim | {' | '.join(SOURCES)} | verdict | before the plan |", "|---" * (len(SOURCES) + 3) + "|"]
    return [*textwrap.wrap(text, WIDTH), "", *head, *rows]


def _counts(verdicts: Counter[str]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in MARKS if verdicts[verdict])


def _source(where: str) -> str:
    return re.split(r"\W", where, maxsplit=1)[0]


def _marks(verdicts: Sequence[str]) -> str:
    counts = Counter(verdicts)
    return " ".join(
        mark if len(verdicts) == 1 else f"{counts[verdict]} {mark}"
        for verdict, mark in MARKS.items()
        if counts[verdict]
    )
