from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.dashboard.drawings.marks import STRIP_WINDOWS
from monitoring.dashboard.history import HEADLINES, WINDOWS
from monitoring.dashboard.views.overview import (
    PAGE_ROWS,
    Entry,
    Question,
    chosen,
    counts,
    entries,
    overview_row,
    overview_table,
    page_of,
)
from monitoring.dashboard.views.table import csv_text
from monitoring.store import Store
from tests.dashboard_store import NOW


@pytest.fixture(scope="module")
def found(shared_store: Store) -> tuple[Entry, ...]:
    return entries("shop", shared_store.summaries(), NOW)


def test_the_worst_deployment_comes_first(found: tuple[Entry, ...]) -> None:
    ordered = chosen(tuple(reversed(found)), Question())
    assert [(one.summary.record.model, one.standing.state) for one in ordered] == [
        ("flights", "page"),
        ("parcels", "ok"),
    ]
    assert counts(found) == (("page", 1), ("ok", 1))


@pytest.mark.parametrize(
    ("question", "models"),
    [
        (Question(text="PARC"), ["parcels"]),
        (Question(text="overconfident"), ["flights"]),
        (Question(state="ok"), ["parcels"]),
        (Question(text="flights", state="ok"), []),
    ],
)
def test_deployments_are_found_by_name_cause_and_state(
    found: tuple[Entry, ...], question: Question, models: list[str]
) -> None:
    assert [one.summary.record.model for one in chosen(found, question)] == models


def test_the_deployments_of_a_model_stand_together_by_the_worst_of_them(found: tuple[Entry, ...]) -> None:
    page, ok = chosen(found, Question())
    east, west = (
        replace(
            ok, summary=replace(ok.summary, number=number, record=replace(ok.summary.record, name=name, model=model))
        )
        for number, name, model in ((3, "east", "flights"), (4, "a", "others"))
    )
    ordered = chosen((west, ok, east, page), Question(by_model=True))
    assert [one.summary.record.called for one in ordered] == ["flights", "east", "a", "parcels"]


def test_of_one_name_the_deployment_run_last_is_shown(shared_store: Store) -> None:
    first = shared_store.summaries()[0]
    again = replace(first, number=9, used_at=first.used_at + timedelta(days=1))
    (entry,) = entries("shop", (again, first), NOW)
    assert (entry.summary.number, entry.earlier, entry.address) == (9, 1, "/d/shop/9")


def test_rows_come_page_by_page(found: tuple[Entry, ...]) -> None:
    many = found * PAGE_ROWS
    assert len(page_of(many, 1)) == len(page_of(many, 2)) == PAGE_ROWS
    assert page_of(many, 3) == ()


def test_a_row_has_the_numbers_of_its_history(shared_store: Store, found: tuple[Entry, ...]) -> None:
    history = shared_store.recent_histories([1, 2], latest=STRIP_WINDOWS, watches=HEADLINES, scored=WINDOWS)
    row, calm = (overview_row(one, history[one.summary.number], NOW) for one in found)
    last = shared_store.last_window(1)
    assert last is not None
    assert row.log_evidence == last.record.page_log_evidence
    assert row.loss is not None
    assert (row.coverage, row.judged, row.run) == ("97 %", "11 May 2013", "6 h ago")
    assert row.evidence_mark is not None
    assert calm.evidence_mark is not None
    assert "gauge-alarm" in {path.style for path in row.evidence_mark.paths}
    assert "gauge-alarm" not in {path.style for path in calm.evidence_mark.paths}
    lines = csv_text(overview_table([row, calm])).splitlines()
    assert lines[0].startswith("deployment,version,state,sentence,metric,value,low,high,baseline,page_evidence")
    evidence = lines[1].split(",")[-6]
    assert math.isclose(float(evidence), math.exp(last.record.page_log_evidence))
