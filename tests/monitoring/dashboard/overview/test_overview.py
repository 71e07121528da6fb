from __future__ import annotations

import math

import pytest

from monitoring.dashboard.overview.overview import overview_row, overview_table
from monitoring.dashboard.stores.named_store import Ownership
from monitoring.dashboard.stores.roster import Entry, entry_of
from monitoring.dashboard.view.history import HEADLINES, WINDOWS
from monitoring.dashboard.view.table import csv_text
from monitoring.reports.charts.marks import STRIP_WINDOWS
from monitoring.store import Store
from tests.dashboard_store import NOW


@pytest.fixture(scope="module")
def found(shared_store: Store) -> tuple[Entry, ...]:
    owner = Ownership(team="travel", tags=("eu", "batch"))
    return tuple(entry_of("shop", one, NOW, earlier=1, ownership=owner) for one in shared_store.overview.summaries())


def test_an_entry_has_the_address_of_its_page(found: tuple[Entry, ...]) -> None:
    assert [(one.address, one.standing.state) for one in found] == [("/d/shop/1", "page"), ("/d/shop/2", "ok")]


def test_a_row_has_the_numbers_of_its_history(shared_store: Store, found: tuple[Entry, ...]) -> None:
    history = shared_store.overview.histories([1, 2], latest=STRIP_WINDOWS, watches=HEADLINES, scored=WINDOWS)
    row, calm = (overview_row(one, history[one.summary.number], NOW) for one in found)
    last = shared_store.windows.last(1)
    assert last is not None
    assert row.log_evidence == last.record.page_log_evidence
    assert row.loss is not None
    assert (row.coverage, row.judged, row.run) == ("97 %", "11 May 2013", "6 h ago")
    assert row.evidence_mark is not None
    assert calm.evidence_mark is not None
    assert "gauge-alarm" in {path.style for path in row.evidence_mark.paths}
    assert "gauge-alarm" not in {path.style for path in calm.evidence_mark.paths}
    lines = csv_text(overview_table([row, calm])).splitlines()
    assert lines[0].startswith("name,version,state,summary,metric,value,low,high,baseline,evidence_page")
    evidence = lines[1].split(",")[-8]
    assert math.isclose(float(evidence), math.exp(last.record.page_log_evidence))
    assert lines[1].endswith(",travel,eu batch")
