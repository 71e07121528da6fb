from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from monitoring.config.files import read_files
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from tests.dashboard_store import NOW
from tests.monitoring.dashboard.web.test_app import client_of


def test_the_page_of_drills_has_its_tables_as_files_and_a_link_from_the_deployments(stores: Stores) -> None:
    client: TestClient = client_of(stores)
    assert 'href="/d/shop/1/drills"' in client.get("/d/shop/1").text
    page = client.get("/d/shop/1/drills").text
    assert "1 of 3 faults detected; missed: labels stop." in page
    rows = client.get("/d/shop/1/drills/tables/faults.csv").text.splitlines()
    assert rows[0].startswith("Fault,Should be,Told,Outcome,Window")
    assert rows[1].startswith("number times 100,page,1,detected,2,1,gone UA")
    assert client.get("/d/shop/1/drills/tables/drills.parquet").status_code == 200
    assert client.get("/d/shop/1/drills/tables/none.csv").status_code == 404
    assert client.get("/d/shop/9/drills").status_code == 404


def test_without_a_drill_the_page_says_how_to_run_the_first_one(stores: Stores) -> None:
    page = client_of(stores).get("/d/shop/2/drills").text
    assert "No drill was run yet." in page
    assert "pitfalls drill run --config FILE" in page


def test_the_command_names_the_config(stores: Stores, url: str, tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(f'[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n[store]\nurl = "{url}"\n')
    files = read_files((config,))
    known = Stores(stores=named_stores(files), files=files, clock=lambda: NOW)
    page = client_of(replace(known, shown_in="UTC")).get("/d/flights/1/drills").text
    assert f"pitfalls drill run --config {config}" in page
    known.stores[0].close()
