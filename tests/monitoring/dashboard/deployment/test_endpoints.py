from __future__ import annotations

from monitoring.dashboard.deployment.endpoints import input_view
from monitoring.dashboard.view.history import DeploymentHistory, Drawn, HistoryRange, read_history, with_scores
from monitoring.records import ColumnNote
from monitoring.reports.sections.inputs import inputs_of
from monitoring.store import Store
from tests.dashboard_store import NOW


def test_the_page_of_an_input_has_each_of_its_watches(shared_store: Store, history: DeploymentHistory) -> None:
    words = {"temp": ColumnNote(unit="°C", description="of the air")}
    one = next(one for one in inputs_of(history.last, history.baseline, words) if one.key == "input:temp")
    watches = tuple(known.watch for known in one.watches)
    extent = HistoryRange(latest=30, table_rows=9)
    read = with_scores(shared_store, read_history(shared_store, history.summary, extent), extent, Drawn(inputs=(one,)))
    view = input_view(one, read, "/d/shop/1", NOW)
    assert (view.title, view.description) == ("temp [°C]", "of the air")
    assert view.chart is not None
    assert len(view.chart.drawings) == 2
    assert view.chart.table is not None
    assert (len(view.chart.table.rows), view.chart.table.total) == (9, 30)
    assert {one.name for one in view.watches} == set(watches)
    assert [row[0].text for row in view.incidents.rows] == ["#2"]
    names = [one.name for one in view.tables]
    assert len(set(names)) == len(names)
