from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitoring.dashboard.access.access import Access
from monitoring.dashboard.deployment.window import metric_table, score_table, window_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.dashboard.web.app import Changes, dashboard_app
from monitoring.records import EstimateRecord, Finding, IntervalChecks, MeasuredMetric
from tests.dashboard_access import access_with
from tests.dashboard_store import described_stores


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


WINDOW = "/d/shop/1/windows/2013-03-04T00:00:00Z"


def test_a_report_is_framed_without_the_rights_of_the_dashboard(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    dashboard = dashboard_app(lambda: stores, Access(names=frozenset({"testserver"})), Changes(stores.fingerprint))
    client = TestClient(dashboard, follow_redirects=False)
    assert f'href="{WINDOW}/drift"' in client.get(WINDOW).text
    assert "pitfalls monitor report --config" in client.get(f"{WINDOW}/drift").text
    assert client.get(f"{WINDOW}/drift/report.html").status_code == 404
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "drift-2013-03-04.html").write_text("<script>1</script>")
    about = json.dumps({"subject": "parcels version 1, 4 Mar 2013"})
    (tmp_path / "report" / "drift-2013-03-04.json").write_text(about)
    page = client.get(f"{WINDOW}/drift")
    assert 'sandbox="allow-scripts"' in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    report = client.get(f"{WINDOW}/drift/report.html")
    assert report.text == "<script>1</script>"
    policy = report.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert report.headers["x-content-type-options"] == "nosniff"


def test_a_token_that_may_read_writes_no_report(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    access = access_with({"acting": "act", "reading": "read"})
    client = TestClient(dashboard_app(lambda: stores, access, Changes(stores.fingerprint)), follow_redirects=False)
    reading = {"authorization": "Bearer reading"}
    assert "Write the report" not in client.get(f"{WINDOW}/drift", headers=reading).text
    assert client.post(f"{WINDOW}/drift", headers=reading).status_code == 403


@pytest.mark.slow
def test_a_report_that_cannot_be_written_says_why_and_may_be_asked_for_again(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    dashboard = dashboard_app(lambda: stores, Access(names=frozenset({"testserver"})), Changes(stores.fingerprint))
    client = TestClient(dashboard, follow_redirects=False)
    shutil.rmtree(tmp_path / "traffic")
    answer = client.post(f"{WINDOW}/drift")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{WINDOW}/drift")
    while "being written" in (text := client.get(f"{WINDOW}/drift").text):
        time.sleep(0.1)
    assert "Why it could not be written" in text
    assert "Write the report" in text
