"""Puts a benchmark's tables on its page in docs/measurements, with date, commit and command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.results import cell_text

#: What stands between these comments is written by `python -m benchmarks NAME --pages FOLDER`.
BEGIN = "<!-- tables of {name} -->"
END = "<!-- end of {name} -->"

#: Benchmarks that share a page, or whose page has the name of what a reader looks for.
PAGES = {
    "rollouts.calibration": "rollout.md",
    "rollouts.days": "rollout.md",
    "rollouts.promises": "rollout.md",
    "rollouts.replay_speed": "rollout.md",
    "truth.budget": "known-laws.md",
    "truth.burn_in": "undated-references.md",
    "truth.contaminated": "contaminated-references.md",
    "truth.input_kinds": "described-inputs.md",
    "truth.lender.calendars": "lender-years.md",
    "truth.lender.causes": "lender-incidents.md",
    "truth.lender.promises": "lender-years.md",
    "truth.nannyml_equal_alarms": "nannyml-datasets.md",
    "truth.worlds.measure": "worlds.md",
    "words.measure": "words.md",
    "years.measure": "years.md",
}


def page_name(benchmark: str) -> str:
    """The page of a benchmark.

    >>> page_name("truth.lender.harms"), page_name("truth.burn_in")
    ('lender-harms.md', 'undated-references.md')
    """
    return PAGES.get(benchmark) or benchmark.removeprefix("truth.").replace(".", "-").replace("_", "-") + ".md"


def tables(document: dict[str, Any]) -> str:
    """The tables and remarks of a result as Markdown, between two comments.

    Args:
        document: The JSON that `benchmarks.results.write` wrote.
    """
    name, environment = document["benchmark"], document["environment"]
    command = f"python -m benchmarks {name}" + (" --quick" if document["quick"] else "")
    libraries = ", ".join(f"{library} {version}" for library, version in environment["libraries"].items())
    took = f"{document['seconds']:,.0f} s on {environment['cores']} cores"
    parts = [
        BEGIN.format(name=name),
        "",
        "| measured | commit | by | took |",
        "|---|---|---|---|",
        f"| {document['date']} | `{document['commit']}` | `{command}` | {took} |",
        "",
        f"Python {environment['python']}, {libraries}.",
        "",
    ]
    for table in document["tables"]:
        columns = table["columns"]
        parts += [f"## {table['title']}", "", f"| {' | '.join(columns)} |", "|---" + "|---:" * (len(columns) - 1) + "|"]
        parts += [f"| {' | '.join(cell_text(cell) for cell in row)} |" for row in table["rows"]]
        parts += ["", *([table["note"], ""] if table["note"] else [])]
    if document["remarks"]:
        parts += [*(f"- {remark}" for remark in document["remarks"]), ""]
    return "\n".join([*parts, END.format(name=name)])


def write_tables(folder: Path, document: dict[str, Any]) -> Path:
    """Put the tables on the benchmark's page: over those of an earlier run, or at its end; a new page where none is.

    The folder's list of pages, `README.md`, gets the date.

    Args:
        document: The JSON that `benchmarks.results.write` wrote.
    """
    name = document["benchmark"]
    path = folder / page_name(name)
    text = path.read_text("utf-8") if path.exists() else f"# {name}\n"
    section = tables(document)
    earlier = re.compile(rf"{re.escape(BEGIN.format(name=name))}.*?{re.escape(END.format(name=name))}", re.DOTALL)
    text, replaced = earlier.subn(lambda _: section, text)
    if not replaced:
        text = f"{text.rstrip()}\n\n{section}\n"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    listed = folder / "README.md"
    if listed.exists():
        row = re.compile(rf"^(\| \[[^]]+\]\({re.escape(path.name)}\) \|.*?\| )\d{{4}}-\d\d-\d\d( \|)", re.MULTILINE)
        dated = row.sub(lambda match: f"{match[1]}{document['date']}{match[2]}", listed.read_text("utf-8"))
        listed.write_text(dated, "utf-8")
    return path
