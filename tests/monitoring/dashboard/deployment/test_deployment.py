from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.deployment.deployment import MoreTables, deployment_view, versions_table
from monitoring.dashboard.stores.roster import entry_of
from monitoring.dashboard.view.history import HEADLINES, DeploymentHistory
from monitoring.dashboard.view.words import next_step
from monitoring.records import MeasuredMetric
from monitoring.sentences.incident_text import incident_text
from monitoring.store import Store
from tests.dashboard_store import NOW
from tests.incident_words import worded


def test_a_deployment_that_pages_leads_to_its_incident(history: DeploymentHistory) -> None:
    view = deployment_view(history, "/d/shop/1", NOW, MoreTables(configuration=(("Slices", "origin"),)))
    assert (view.standing.state, view.standing.incident) == ("page", 1)
    assert view.next_step == "Check the labels of these rows."
    figures = {one.title: one for one in view.figures}
    assert figures["Page evidence"].alarm
    assert figures["Last run"].text == "6 h ago"
    assert ("Slices", "origin") in view.configuration
    assert [row[0].href for row in view.incidents.rows] == ["/d/shop/1/incidents/1", "/d/shop/1/incidents/2"]
    assert view.slices is not None
    assert {row[0].text for row in view.slices.rows} == {"origin = EWR", "origin = JFK", "origin = LGA"}
    assert view.sensitivity is not None
    assert view.sensitivity.columns == ("Rise of", "7 windows", "30 windows", "90 windows")


def test_every_table_of_the_page_has_a_name_of_its_own(history: DeploymentHistory) -> None:
    names = [table.name for table in deployment_view(history, "/d/shop/1", NOW).tables]
    assert len(names) == len(set(names))
    assert {"brier", "windows", "incidents", "slices", "coverage", "sensitivity"} <= {*names}


def test_a_deployment_without_windows_has_a_page(history: DeploymentHistory) -> None:
    new = replace(
        history,
        summary=replace(history.summary, last=None, incidents=(), failure="", suspected=False),
        windows=(),
        last=(),
        incidents=(),
        baseline=(),
        sensitivity=(),
    )
    view = deployment_view(new, "/d/shop/1", NOW)
    assert (view.standing.state, view.charts, view.inputs, view.slices) == ("unknown", (), (), None)


def test_the_next_step_of_a_message_without_one_is_empty(history: DeploymentHistory) -> None:
    page = history.incidents[0]
    assert next_step(incident_text(replace(page, diagnoses=worded("", "It rose.")))) == ""
    again = replace(
        page, diagnoses=worded("", "It rose. Next step: look. Worse since: it rose more. Next step: roll back.")
    )
    assert next_step(incident_text(again)) == "Roll back."


def test_the_metrics_are_those_of_the_last_window_with_labels(history: DeploymentHistory) -> None:
    auc = MeasuredMetric(metric="auc", rows=900, value=0.7, low=0.65, high=0.75)
    assert deployment_view(history, "/d/shop/1", NOW).metrics is None
    last = (*history.last[:-2], replace(history.last[-2], measured=(auc,)), history.last[-1])
    view = deployment_view(replace(history, last=last, measured=(replace(auc, value=0.8),)), "/d/shop/1", NOW)
    assert view.metrics is not None
    assert view.metrics.title == "Metrics, 9 May 2013"
    assert view.metrics.rows[0][5].text == "0.800"


def test_the_deployments_of_a_model_stand_side_by_side(shared_store: Store) -> None:
    first, second = shared_store.overview.summaries()
    newer = replace(second, record=replace(second.record, version=2))
    read = shared_store.overview.histories((1, 2), latest=30, watches=HEADLINES, scored=7)
    found = [(entry_of("shop", one, NOW), read[one.number]) for one in (newer, first)]
    table = versions_table(found, first.number, NOW)
    assert table is not None
    assert [row[0].text for row in table.rows] == ["parcels v2", "flights v1 (this one)"]
    assert [row[0].href for row in table.rows] == ["/d/shop/2", ""]
    assert [row[1].text for row in table.rows] == ["ok", "page"]
    assert all(row[3].drawing is not None for row in table.rows)
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_one_deployment_has_no_other_to_stand_beside(shared_store: Store) -> None:
    (first, _) = shared_store.overview.summaries()
    read = shared_store.overview.histories((1,), latest=30, watches=HEADLINES, scored=7)
    assert versions_table([(entry_of("shop", first, NOW), read[1])], 1, NOW) is None
    assert [one.number for one in shared_store.overview.summaries("parcels")] == [2]
    assert shared_store.overview.summaries("none") == ()
