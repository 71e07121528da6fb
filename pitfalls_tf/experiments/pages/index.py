"""The index page: the paper's claims with the verdicts of all experiments in a folder."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.claim_verdict import ClaimVerdict
from pitfalls_tf.experiments.pages.page import PAGE, read_manifests
from pitfalls_tf.experiments.pages.plan_text import PLAN_PAGE
from pitfalls_tf.training import run_folder as folders

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
            of_findings.update(finding["verdict"] for finding in findings)
            link = f"[{document['experiment']}]({document['experiment']}/README.md): {claim['name']}"
            marks = [
                _marks([finding["verdict"] for finding in findings if _source(finding["where"]) == name])
                for name in SOURCES
            ]
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


HEAD: Final = f"""# The paper, reproduced

The paper makes claims without data or numbers. This page tests them on real data. The decision rule of each claim was
fixed before the runs that decide it, and their number was [planned]({PLAN_PAGE}) from first runs, for a power of .9
at the smallest effect that matters. A verdict depends only on 95 % intervals, source by source. *Depends on the data*
means that sources are decided and disagree, and that a test says that their effects differ; *inconclusive* means only
that a claim is not decided. Nothing was tuned until a claim held or failed. Where a rule was replaced, the page of the
claim has both, and the table the verdict of the first rules on the first runs.
"""
FOOT: Final = """## The data

- *Flights*: one year, three airports, trained on January to March. One year cannot separate season from drift: all
  change from April on may be seasonal.
- *Rodents*: trained on 1977 to 1983. A species that is common later does not occur in those years, so no model can
  predict it. Its share is a lower bound of every later error.
- *Digits*: 5,000 handwritten images and two other sources of images. Two deployed domains are too few for an interval
  over domains.
- *Letters*: 20 x 20 pictures of letters of 240 typeface families, trained on monospaced families. A family is a
  domain; families of other kinds are deployed. They are pictures of type, without a scanner's noise.
- All runs of a setup share their rows and differ in the seed: the spread is that of training, not of sampling.
- No network here is larger than a desktop computer trains in minutes.
"""


def write_index(into: Path) -> Path:
    """Write the index page over all experiments in a folder, in the order of the paper."""
    manifests = read_manifests(into)
    rank = {name: position for position, name in enumerate(paper_order())}
    documents = sorted(
        manifests.values(), key=lambda manifest: (rank.get(manifest["experiment"], len(rank)), manifest["experiment"])
    )
    parts = ["## Verdicts", "", *claims_table(documents), "", *_undecided(documents)]
    parts += ["## Estimates", "", *_estimates_table(documents)]
    head = HEAD if (into / PLAN_PAGE).is_file() else HEAD.replace(f"[planned]({PLAN_PAGE})", "planned")
    text = "\n".join([head, *parts, "", *_commands(documents), "", FOOT])

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    folders.write_atomically(into / PAGE, write)
    return into / PAGE


def _estimates_table(documents: Iterable[dict[str, Any]]) -> list[str]:
    lines = ["| paper | claim | measured here, with 95 % interval | verdict |", "|---|---|---|---|"]
    for document in documents:
        for claim in document["claims"]:
            section = f"§{claim['section']}" if claim["section"][0].isdigit() else claim["section"]
            link = f"[{document['experiment']}]({document['experiment']}/{PAGE})"
            quick = " (quick run)" if document["quick"] else ""
            lines.append(
                f"| {section}, {link} | {claim['says']} | {claim['quantity']}: {claim['found']}"
                f" | **{claim['verdict']}**{quick}{_line(claim)} |"
            )
    return lines


def _groups(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of runs, each with its command and its hours; a manifest of an earlier version has one command."""
    return list(document.get("groups") or [{"command": str(document.get("command")), "hours": None}])


def _line(claim: dict[str, Any]) -> str:
    """The sources of each verdict, and the random-effects summary."""
    parts = [str(claim[key]) for key in ("line", "summary_text") if claim.get(key)]
    return f": {'. '.join(parts)}" if parts else ""


def _undecided(documents: Iterable[dict[str, Any]]) -> list[str]:
    """Why each inconclusive claim is undecided, and what would decide it."""
    lines = [
        f"- *{document['experiment']}, {claim['name']}*: {'. '.join(claim['undecided'])}."
        for document in documents
        for claim in document["claims"]
        if claim.get("undecided")
    ]
    return ["## What would decide the inconclusive claims", "", *lines, ""] if lines else []


def _commands(documents: Iterable[dict[str, Any]]) -> list[str]:
    """The commands that made the runs, with the sum of the hours of a command's groups where all were measured."""
    hours: dict[str, list[float | None]] = {}
    for document in documents:
        for group in _groups(document):
            hours.setdefault(group["command"], []).append(group["hours"])
    lines = [
        "Commands, with the hours of their runs by the clock where they were kept; the machine did other work too:",
        "",
        "```",
    ]
    for command, parts in hours.items():
        measured = [part for part in parts if part is not None]
        lines.append(f"{command}  # {sum(measured):.2f} h" if len(measured) == len(parts) else command)
    return [*lines, "```"]
