"""All claims at a glance: a line each, a mark for every source."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pitfalls_tf.experiments.experiment import Word

SOURCES: Final = ("flights", "rodents", "digits")
MARKS: Final[dict[Word, str]] = {"reproduced": "✔", "not reproduced": "✘", "inconclusive": "?"}
WIDTH: Final = 118  # characters of a line


def glance(documents: Iterable[dict[str, Any]]) -> list[str]:
    """Lines of Markdown: how many claims have which verdict, then a table of marks, from experiments' manifests.

    >>> reproduced, open_ = (
    ...     {"where": "flights", "verdict": "reproduced"},
    ...     {"where": "rodents, x", "verdict": "inconclusive"},
    ... )
    >>> claim = {"name": "plateaus", "verdict": "inconclusive", "findings": [reproduced, open_]}
    >>> print(glance([{"experiment": "figure1", "quick": False, "claims": [claim]}])[-1])
    | [figure1](figure1/README.md): plateaus | ✔ | ? | | inconclusive |
    """
    rows: list[str] = []
    whole, each = Counter[str](), Counter[str]()
    for document in documents:
        for claim in document["claims"]:
            findings = claim["findings"]
            whole[claim["verdict"]] += 1
            each.update(one["verdict"] for one in findings)
            link = f"[{document['experiment']}]({document['experiment']}/README.md): {claim['name']}"
            marks = [_marks([one["verdict"] for one in findings if _source(one["where"]) == name]) for name in SOURCES]
            quick = " (quick run)" if document["quick"] else ""
            cells = [link, *marks, claim["verdict"] + quick]
            rows.append("".join(f"| {cell} " if cell else "| " for cell in cells) + "|")
    text = (
        f"Claims as a whole: {_counts(whole)}. Findings, source by source and method by method: {_counts(each)}."
        " ✔ is reproduced, ✘ not reproduced, ? inconclusive; a number before it says how many."
    )
    head = [f"| claim | {' | '.join(SOURCES)} | as a whole |", "|---|---|---|---|---|"]
    return [*textwrap.wrap(text, WIDTH), "", *head, *rows]


def _counts(words: Counter[str]) -> str:
    return ", ".join(f"{words[word]} {word}" for word in MARKS)


def _source(where: str) -> str:
    return re.split(r"\W", where, maxsplit=1)[0]


def _marks(verdicts: Sequence[str]) -> str:
    counts = Counter(verdicts)
    return " ".join(
        mark if len(verdicts) == 1 else f"{counts[word]} {mark}" for word, mark in MARKS.items() if counts[word]
    )
