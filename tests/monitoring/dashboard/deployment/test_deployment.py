from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.deployment.deployment import MoreTables, deployment_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.dashboard.view.words import next_step
from monitoring.records import MeasuredMetric
from tests.dashboard_store import NOW


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
        summary=replace(history.summary, last=None, incidents=(), failure=""),
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
    assert next_step(replace(page, message="It rose.")) == ""
    again = replace(page, message="It rose. Next step: look. Worse since: it rose more. Next step: roll back.")
    assert next_step(again) == "Roll back."


def test_the_metrics_are_those_of_the_last_window_with_labels(history: DeploymentHistory) -> None:
    auc = MeasuredMetric(metric="auc", rows=900, value=0.7, low=0.65, high=0.75)
    assert deployment_view(history, "/d/shop/1", NOW).metrics is None
    last = (*history.last[:-2], replace(history.last[-2], measured=(auc,)), history.last[-1])
    view = deployment_view(replace(history, last=last, measured=(replace(auc, value=0.8),)), "/d/shop/1", NOW)
    assert view.metrics is not None
    assert view.metrics.title == "Metrics, 9 May 2013"
    assert view.metrics.rows[0][5].text == "0.800"
