"""The index page: the paper's claims with the verdicts of all experiments in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.pages.claims_table import claims_table
from pitfalls_tf.experiments.pages.page import PAGE, read_manifests
from pitfalls_tf.training import run_folder as folders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAD: Final = """# The paper, reproduced

The paper makes claims without data or numbers. This page tests them on real data. The decision rule of each claim was
fixed before its experiment was run. A verdict is *reproduced*, *not reproduced* or *inconclusive*, and depends only on
a 95 % interval. Where the sources disagree, the claim as a whole is inconclusive, and its row has the verdict of each
source. Nothing was tuned until a claim held or failed. Two things were changed after a look at results, one rule and
the number of quick runs; the remarks of their pages say so.
"""
FOOT: Final = """## The data

- *Flights*: one year, three airports, trained on January to March. One year cannot separate season from drift: all
  change from April on may be seasonal.
- *Rodents*: trained on 1977 to 1983. A species that is common later does not occur in those years, so no model can
  predict it. Its share is a lower bound of every later error.
- *Digits*: 5,000 handwritten images and two other sources of images. Two deployed domains are too few for an interval
  over domains.
- All runs of a setup share their rows and differ in the seed: the spread is that of training, not of sampling.
- No network here is larger than a desktop computer trains in minutes.
"""


def write_index(into: Path) -> Path:
    """Write the index page over all experiments in a folder, in the order of the paper.

    Returns:
        Path of the page.
    """
    manifests = read_manifests(into)
    rank = {name: position for position, name in enumerate(paper_order())}
    documents = sorted(manifests.values(), key=lambda one: (rank.get(one["experiment"], len(rank)), one["experiment"]))
    parts = ["## Verdicts", "", *claims_table(documents), "", "## Estimates", "", *_estimates_table(documents)]
    text = "\n".join([HEAD, *parts, "", *_commands(documents), "", FOOT])

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
                f" | **{claim['verdict']}**{quick} |"
            )
    return lines


def _commands(documents: Iterable[dict[str, Any]]) -> list[str]:
    lines = ["Commands:", "", "```"]
    lines += list(dict.fromkeys(document["command"] for document in documents))
    return [*lines, "```"]
