from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitoring.dashboard.access.access import Access
from monitoring.dashboard.web.app import dashboard_app
from monitoring.dashboard.web.live import Changes
from tests.dashboard_access import access_with
from tests.dashboard_store import described_stores

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
