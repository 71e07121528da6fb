"""Figures of false alarms and power are as old as they say, and name the first decision that they are older than."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

#: When a page was measured: the first cell below the heading *measured*, which `benchmarks.measurement_page` writes.
RECORD = re.compile(r"^\| measured \|.*\n\|[-| :]+\n\| (\d{4}-\d\d-\d\d) \|", re.MULTILINE)
CHANGE = re.compile(r"^Changes what is judged since (\d{4}-\d\d-\d\d): ([a-z, ]+)\.$", re.MULTILINE)
UNCHANGED = "Changes nothing of what is judged."
MEASUREMENT = re.compile(r"\(measurements/([a-z-]+)\.md")
DECISION = re.compile(r"\(decisions/(\d{4})-")
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")

#: The last decision that was made before each had to say whether it changes what is judged.
BEFORE_ALL_SAY = 121


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A row of figures, with what stands right before its table where the row itself links nothing."""

    row: str
    text: str


def figures(page: str) -> Iterator[Figures]:
    """The rows of every table of a page that has the results of measurements.

    >>> page = "Of [a](measurements/a.md):\\n\\n| x | y |\\n|---|---|\\n| 1 | 2 |\\n| 3 | [b](measurements/b.md) |\\n"
    >>> [MEASUREMENT.findall(row.text) for row in figures(page)]
    [['a'], ['b']]
    """
    before, rows = "", 0
    for line in page.splitlines():
        if not line.startswith("|"):
            before, rows = line or before, 0
            continue
        rows += 1
        if rows > 2:
            yield Figures(row=line, text=line if MEASUREMENT.search(line) else before)


def measured(page: str) -> list[str]:
    """The dates at which the parts of a page were measured."""
    return RECORD.findall((DOCS / "measurements" / f"{page}.md").read_text("utf-8"))


def changes() -> dict[str, tuple[str, set[str]]]:
    """By number of a decision, since when it changes what is judged, and of what."""
    result = {}
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        if match := CHANGE.search(path.read_text("utf-8")):
            result[path.name[:4]] = match[1], set(match[2].split(", "))
    return result


def parts() -> dict[str, set[str]]:
    """By page, the parts of the method that its figures depend on; pages that do not say are left out."""
    text = (DOCS / "measurements" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[[^]]+\]\(([a-z-]+)\.md\) \|.*\| \d{4}-\d\d-\d\d \| ?([a-z, ]*?) ?\|$", text, re.MULTILINE)
    return {page: set(filter(None, of.split(", "))) for page, of in rows}


ROWS = list(figures((DOCS / "truth.md").read_text("utf-8").partition("## What was measured")[2]))


@pytest.mark.parametrize("figure", ROWS, ids=lambda figure: figure.row.split("|")[1].strip())
def test_each_row_of_figures_has_the_date_of_its_measurement_and_the_decisions_since(figure: Figures) -> None:
    pages = MEASUREMENT.findall(figure.text)
    assert pages, "A row of figures, or the line before its table, links the page of docs/measurements that has them."
    known = parts()
    assert set(pages) <= set(known), (
        "docs/measurements/README.md says of each such page what of the method it depends on."
    )
    earliest = min(date for page in pages for date in measured(page))
    assert DATE.findall(figure.text) == [earliest], "The date is that at which the page says that it was measured."
    since = [
        (date, number)
        for page in pages
        for number, (date, changed) in changes().items()
        if changed & known[page] and date > min(measured(page))
    ]
    assert DECISION.findall(figure.text) == [number for _, number in sorted(since)[:1]], (
        "A decision since the measurement changes what is judged: measure again and put the new figures and date here, "
        "or write 'before [NNNN](decisions/NNNN-….md)' of the first one behind the date; none where figures are newer."
    )


def test_each_new_decision_says_whether_it_changes_what_is_judged() -> None:
    said = changes()
    silent = [
        path.name
        for path in (DOCS / "decisions").glob("[0-9]*.md")
        if int(path.name[:4]) > BEFORE_ALL_SAY
        and path.name[:4] not in said
        and UNCHANGED not in path.read_text("utf-8").splitlines()
    ]
    assert not silent, (
        f"A line of its own says 'Changes what is judged since YYYY-MM-DD: PART.', with a part of "
        f"docs/measurements/README.md, or '{UNCHANGED}'"
    )


def test_parts_of_the_method_that_change_are_those_that_pages_name() -> None:
    named = set[str]().union(*parts().values())
    assert {part for _, changed in changes().values() for part in changed} <= named


def test_the_list_of_measurements_has_the_dates_of_its_pages() -> None:
    text = (DOCS / "measurements" / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| \[[^]]+\]\(([a-z-]+)\.md\) \|.*?\| (\d{4}-\d\d-\d\d) \|", text, re.MULTILINE))
    wrong = {page: (date, max(measured(page))) for page, date in listed.items() if measured(page)}
    assert {page: dates for page, dates in wrong.items() if dates[0] != dates[1]} == {}
