from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.deployment.window import metric_table, score_table, window_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.records import EstimateRecord, Finding, IntervalChecks, MeasuredMetric


def test_a_window_shows_every_score_largest_evidence_first(history: DeploymentHistory) -> None:
    window = history.last[-1]
    table = score_table(window.scores, history.baseline)
    assert len(table.rows) == len(window.scores)
    pages = [row for row in table.rows if row[2].text == "page"]
    assert list(table.rows[: len(pages)]) == pages
    brier = next(row for row in table.rows if row[0].value == "brier" and row[1].text == "all traffic")
    assert brier[5].text == "0.146"


def test_a_window_has_its_counts_findings_and_neighbours(history: DeploymentHistory) -> None:
    fact = Finding(kind="column missing", feature="visib", message="visib was absent", fact=True)
    estimate = EstimateRecord(
        method="calibrated",
        metric="brier",
        rows=900,
        value=0.15,
        low=0.14,
        high=0.16,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(trusted=False),
    )
    window = replace(history.last[-1], findings=(fact,), estimates=(estimate,))
    view = window_view(window, history.summary, history.baseline, "/d/shop/1", (history.windows[-2].start, None))
    assert (view.title, view.status) == ("10 May 2013", window.status)
    assert view.before == "/d/shop/1/windows/2013-05-09T00:00:00Z"
    assert view.after == ""
    assert view.counted.rows[0][1].text == "920"
    assert view.findings.rows[0][0].text == "column missing (pages)"
    assert view.estimates is not None
    assert [cell.text for cell in view.estimates.rows[0]][3:] == ["0.150", "0.140", "0.160", "no"]
    assert len(view.tables) == 4


def test_a_window_shows_its_metrics_beside_the_benchmark(history: DeploymentHistory) -> None:
    auc = MeasuredMetric(metric="auc", rows=900, value=0.7, low=0.65, high=0.75)
    precision = MeasuredMetric(metric="macro_precision", rows=900, value=0.5, low=0.4, high=0.6)
    table = metric_table((auc, precision), (replace(auc, value=0.8),))
    assert table is not None
    assert [cell.text for cell in table.rows[0]] == ["AUC", "900", "0.700", "0.650", "0.750", "0.800"]
    assert [cell.text for cell in table.rows[1]][2:] == ["50.0 %", "40.0 %", "60.0 %", "\N{EN DASH}"]
    assert "not tested" in table.note
    window = replace(history.last[-1], measured=(auc,))
    view = window_view(window, history.summary, history.baseline, "/d/shop/1")
    assert "metrics" in [one.name for one in view.tables]
    assert metric_table((), (auc,)) is None
