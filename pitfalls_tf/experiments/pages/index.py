"""The index page: the paper's claims in two tables, confirmatory and exploratory, over all experiments in a folder."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pitfalls_tf.experiments.catalogue import paper_order
from pitfalls_tf.experiments.claim import BEYOND
from pitfalls_tf.experiments.claim_verdict import VERDICTS
from pitfalls_tf.experiments.decisions import CONFIRMATORY
from pitfalls_tf.experiments.pages.finding_text import number_text
from pitfalls_tf.experiments.pages.page import FORMAT, PAGE, read_manifests
from pitfalls_tf.experiments.severity import holm
from pitfalls_tf.training import run_folder as folders

Document = Mapping[str, Any]
Row = tuple[Document, Document, Document]  # manifest, claim, finding

ABOUT: Final = "README.md.in"  # optional text of a folder, around the tables
TABLES: Final = "{{tables}}"
WIDTH: Final = 118  # characters of a line
HEAD: Final = f"# The paper, reproduced\n\n{TABLES}\n"
LEGEND: Final = """*Confirmatory*: rule, number of runs and a power of .9 at the smallest effect that matters were
committed before the runs, which are fresh. *Exploratory*: all else, with the reason. All sources count, also undecided
ones. *At the bound*: the interval is as narrow as the plan asked for and contains the bound, so that this design cannot
decide. *Depends on the data*: sources are decided and disagree, and their effects differ by Cochran's test. *Opposite
at*: the nearest estimate that would have given the opposite verdict, and its distance from the measured one in standard
errors. *Bound x ½, x 2*: the verdict with half and with twice the bound. *Holm*: whether the verdict stands at .05
after Holm's correction for the number of confirmatory findings."""


def write_index(into: Path) -> Path:
    """Write the index page over all experiments in a folder, in the order of the paper.

    Around the tables stands the text of INTO/README.md.in where there is one. In it {{EXPERIMENT/CLAIM/SOURCE}} is the
    estimate of a finding.
    """
    rank = {name: position for position, name in enumerate(paper_order())}
    documents = sorted(
        read_manifests(into).values(), key=lambda one: (rank.get(one["experiment"], len(rank)), one["experiment"])
    )
    text = (into / ABOUT).read_text(encoding="utf-8") if (into / ABOUT).is_file() else HEAD
    for document, claim, finding in _rows(_full(documents)):
        name = "/".join((document["experiment"], claim["name"], finding["source"]))
        text = text.replace(f"{{{{{name}}}}}", finding["measured"])
    text = text.replace(TABLES, "\n".join(tables(documents)))

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    folders.write_atomically(into / PAGE, write)
    return into / PAGE


def tables(documents: Sequence[Document]) -> list[str]:
    """All tables of the page; of quick runs only links, for their verdicts are not those of full runs."""
    full = _full(documents)
    others = [_link(document) for document in documents if document not in full]
    lines = [f"Quick runs and pages of earlier versions, without verdicts: {', '.join(others)}.", ""] if others else []
    if full:
        rows = list(_rows(full))
        confirmatory = [row for row in rows if row[2]["kind"] == CONFIRMATORY]
        exploratory = [row for row in rows if row[2]["kind"] != CONFIRMATORY]
        lines += [*textwrap.wrap(" ".join(LEGEND.split()), WIDTH), ""]
        lines += ["## The paper's sentences", "", *claims_table(full, beyond=False), ""]
        lines += ["## Claims of this project", "", *claims_table(full, beyond=True), ""]
        lines += ["## Confirmatory findings", "", *findings_table(confirmatory, "holm"), ""]
        lines += ["## Exploratory findings", "", *findings_table(exploratory, "why exploratory"), ""]
        lines += ["## Planned and not run", "", *_not_run(full), ""]
        lines += ["## Rules and data", "", *_combinations(full), ""]
    return [*lines, "## Commands", "", *_commands(documents)]


def _full(documents: Sequence[Document]) -> list[Document]:
    """The manifests of full runs, of the present format."""
    return [document for document in documents if not document["quick"] and document.get("format") == FORMAT]


def claims_table(documents: Iterable[Document], *, beyond: bool) -> list[str]:
    """The claims with their verdicts; `beyond` selects those that the paper does not make."""
    lines = [
        "| where | sentence | question | confirmatory | all findings | first rules, first runs |",
        "|---|---|---|---|---|---|",
    ]
    every = [
        (document, claim)
        for document in documents
        for claim in document["claims"]
        if (claim["section"] == BEYOND) == beyond
    ]
    for document, claim in every:
        section = f"§{claim['section']}" if claim["section"][0].isdigit() else claim["section"]
        cells = (
            _link(document) if beyond else f"{section}, {_link(document)}",
            claim["says"],
            claim["question"],
            f"**{claim['confirmatory_verdict'] or 'none'}**{_of_sources(document, claim)}",
            f"{claim['verdict']}: {claim['line']}",
            claim["combinations"]["first rules, first runs"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    confirmatory = Counter(claim["confirmatory_verdict"] or "none" for _, claim in every)
    all_findings = Counter(claim["verdict"] for _, claim in every)
    return [f"Confirmatory: {_counts(confirmatory)}. All findings: {_counts(all_findings)}.", "", *lines]


def findings_table(rows: Sequence[Row], last: str) -> list[str]:
    """Findings with unit, plan, severity and the effect of other bounds. `last`: the last column."""
    names = ("claim", "source", "unit", "runs planned, done", "estimate, 95 % interval", "verdict", "opposite at")
    lines = [f"| {' | '.join((*names, 'bound x ½', 'bound x 2', last))} |", "|---" * 10 + "|"]
    known = [finding["severity"]["p_value"] for _, _, finding in rows if finding["severity"]]
    adjusted = iter(holm(known))
    for document, claim, finding in rows:
        severity = finding["severity"]
        p_value = next(adjusted) if severity else 1.0
        decided = finding["verdict"] in {"reproduced", "not reproduced"}
        p_text = "below .0001" if p_value < 1e-4 else number_text(p_value)
        stands = f"{'stands' if p_value < 0.05 else 'falls'}, p {p_text}" if decided else ""
        otherwise = ""
        if decided and severity:
            away = severity["errors"] + 1.96
            otherwise = f"{number_text(severity['otherwise_at'])}, {away:.1f} se away"
        cells = (
            f"{_link(document)}: {claim['name']}",
            finding["where"],
            "domains" if finding["domains"] > 1 else "runs",
            f"{_planned(document, finding)}, {finding['runs'] or 'all'}",
            finding["measured"],
            f"**{finding['verdict']}**",
            otherwise,
            _changed(finding, "halved"),
            _changed(finding, "doubled"),
            stands if last == "holm" else finding["kind"],
        )
        lines.append(f"| {' | '.join(cells)} |")
    counts = Counter(finding["verdict"] for _, _, finding in rows)
    return [f"{len(rows)} findings: {_counts(counts)}.", "", *lines]


def _rows(documents: Iterable[Document]) -> Iterable[Row]:
    for document in documents:
        for claim in document["claims"]:
            for finding in claim["findings"]:
                yield document, claim, finding


def _changed(finding: Document, bounds: str) -> str:
    return "the same" if finding[bounds] == finding["verdict"] else str(finding[bounds])


def _planned(document: Document, finding: Document) -> str:
    planned = document["plan"].get(finding["source"])
    return "0" if not planned or not planned["looks"] else str(planned["looks"][-1])


def _of_sources(document: Document, claim: Document) -> str:
    """The sources of the confirmatory findings, and those whose planned runs were not made."""
    names = [finding["source"] for finding in claim["findings"] if finding["kind"] == CONFIRMATORY]
    missing = [
        source for source in _sources_not_run(document) if any(one["source"] == source for one in claim["findings"])
    ]
    return (f" on {', '.join(names)}" if names else "") + (f"; not run on {', '.join(missing)}" if missing else "")


def _sources_not_run(document: Document) -> list[str]:
    """The sources whose planned fresh runs were never made."""
    made = {source for group in document["groups"] if group["stage"] == "fresh" for source in group["sources"]}
    return [source for source, planned in document["plan"].items() if planned["looks"] and source not in made]


def _link(document: Document) -> str:
    return f"[{document['experiment']}]({document['experiment']}/{PAGE})"


def _counts(verdicts: Counter[str]) -> str:
    return ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in (*VERDICTS, "none") if verdicts[verdict])


def _not_run(documents: Iterable[Document]) -> list[str]:
    """The planned fresh runs that were never made, computed from the manifests."""
    lines = []
    for document in documents:
        for source in _sources_not_run(document):
            looks = document["plan"][source]["looks"]
            runs = " to ".join(dict.fromkeys(map(str, (looks[0], looks[-1]))))
            lines.append(f"- {_link(document)}, {source}: {runs} fresh runs planned, none made; first runs are shown.")
    return lines or ["All planned runs were made."]


def _combinations(documents: Iterable[Document]) -> list[str]:
    """How many of the planned claims have which verdict, by rules and data."""
    claims = []
    for document in documents:
        planned = {claim["claim"] for source in document["plan"].values() for claim in source["claims"]}
        claims += [claim for claim in document["claims"] if claim["name"] in planned]
    lines = [f"| rules and data | {' | '.join(VERDICTS)} |", "|---" * (len(VERDICTS) + 1) + "|"]
    for name in claims[0]["combinations"] if claims else ():
        counts = Counter(claim["combinations"][name] for claim in claims)
        lines.append(f"| {name} | {' | '.join(str(counts[verdict]) for verdict in VERDICTS)} |")
    return lines


def _commands(documents: Iterable[Document]) -> list[str]:
    """The commands that made the runs, with the sum of the hours of a command's groups where all were measured."""
    hours: dict[str, list[float | None]] = {}
    for document in documents:
        for group in document.get("groups", ()):
            hours.setdefault(group["command"], []).append(group["hours"])
    lines = ["With the hours of their runs by the clock; the machine did other work too.", "", "```"]
    for command, parts in hours.items():
        measured = [part for part in parts if part is not None]
        kept = f"{sum(measured):.2f} h" if len(measured) == len(parts) else "the hours were not kept"
        lines.append(f"{command}  # {kept}")
    return [*lines, "```"]
