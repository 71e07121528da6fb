"""The paper's claims beside what was found, over all experiments that a folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pitfalls_tf.experiments.catalogue import order
from pitfalls_tf.experiments.claims_overview import glance
from pitfalls_tf.experiments.page import PAGE, read_manifests
from pitfalls_tf.training import runs as folders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAD: Final = """# The paper, reproduced

What the paper reports, without data or numbers, and what is found here on real data. Each claim has a rule that was
written down before its experiment was run; a verdict is *reproduced*, *not reproduced* or *inconclusive*, and follows
from a 95 % interval alone. Where the sources disagree, the claim as a whole is inconclusive, and each source's own
verdict is in the same row. Nothing was tuned until a claim held or failed; what was changed after looking, one rule and
one number of quick runs, is said in the remarks of its page.
"""
FOOT: Final = """## What is particular to these data

- *Flights* are one year from three airports, learnt from January to March. One year cannot tell season from drift: what
  changes from April on is seasonal as far as anybody can know.
- *Rodents* are learnt from 1977 to 1983; a species that is common later is never seen in those years, so no model can
  name it. Its share sets a floor to every later error.
- *Digits* are small: 5,000 handwritten images and two other sources of them. Two deployed domains are too few for an
  interval over domains.
- The runs of one setup share their rows and differ in the seed: the spread is that of training, not of sampling.
- No network here is larger than a desktop computer trains in minutes.
"""


def write_index(into: Path) -> Path:
    """Write the page over all experiments in the folder, in the order of the paper. Returns its path."""
    found = read_manifests(into)
    places = {name: place for place, name in enumerate(order())}
    documents = sorted(found.values(), key=lambda one: (places.get(one["experiment"], len(places)), one["experiment"]))
    parts = ["## At a glance", "", *glance(documents), "", "## In numbers", "", *_table(documents)]
    text = "\n".join([HEAD, *parts, "", *_commands(documents), "", FOOT])

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    folders.write_aside(into / PAGE, write)
    return into / PAGE


def _table(documents: Iterable[dict[str, Any]]) -> list[str]:
    lines = ["| paper | says | measured here, with 95 % interval | verdict |", "|---|---|---|---|"]
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
    lines = ["Made by:", "", "```"]
    lines += list(dict.fromkeys(document["command"] for document in documents))
    return [*lines, "```"]
