"""A store that vanishes or breaks while the dashboard shows it takes no other off the screen, and is failing itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitoring.config.files import ConfigFile, read_files
from monitoring.dashboard.api.calls import ApiCalls
from monitoring.dashboard.overview.metrics import read_metrics
from monitoring.dashboard.overview.overview import read_overview
from monitoring.dashboard.stores.candidates import Question
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from tests.dashboard_store import NOW
from tests.monitoring.dashboard.api.test_application import client_of

CONFIG = '[model]\nbundle = "models/{name}"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///pitfalls.db"\n'


@pytest.fixture
def two(filled: Path, tmp_path: Path) -> Stores:
    """Two configs, each with a store in its own folder; every page was read once."""
    for name in ("flights", "parcels"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "monitor.toml").write_text(CONFIG.format(name=name))
        for path in filled.parent.glob("pitfalls.db*"):
            shutil.copy(path, folder / path.name)
    files = read_files(sorted(tmp_path.glob("*/monitor.toml")))
    stores = Stores(stores=named_stores(files), files=files, clock=lambda: NOW)
    assert {row.standing.state for row in read_overview(stores, Question()).rows} == {"page", "ok"}
    return stores


def gone(stores: Stores, tmp_path: Path) -> Stores:
    """The folder of `parcels` is moved away."""
    (tmp_path / "parcels").rename(tmp_path / "away")
    files = tuple(
        replace(file, is_missing=True, problem="Its file is gone.") if "parcels" in file.name else file
        for file in stores.files
    )
    return replace(stores, files=files)


def broken(stores: Stores, tmp_path: Path) -> Stores:
    """The store of `parcels` is overwritten, and its config is as it was."""
    for path in (tmp_path / "parcels").glob("pitfalls.db-*"):
        path.unlink()
    (tmp_path / "parcels" / "pitfalls.db").write_bytes(b"\x00garbage" * 2_000)
    return stores


def failing(metrics: str) -> set[tuple[str, str, str]]:
    """Deployment, store and value of each sample of the state `failing`."""
    lines = [line for line in metrics.splitlines() if 'state="failing"' in line]
    return {(line.split('"')[1], line.split('"')[5], line.rpartition(" ")[2]) for line in lines}


@pytest.mark.parametrize("happen", [gone, broken])
def test_the_others_are_shown_as_before_and_it_is_shown_as_failing(two: Stores, tmp_path: Path, happen: object) -> None:
    assert callable(happen)
    before = {row.address: row for row in read_overview(two, Question()).rows}
    metrics = failing(read_metrics(two))
    after = happen(two, tmp_path)
    overview = read_overview(after, Question())
    rows = {row.address: row for row in overview.rows}
    assert rows.keys() == before.keys()
    assert [rows[address] == row for address, row in before.items()] == ["parcels" not in one for one in before]
    for address, row in rows.items():
        if "parcels" in address:
            assert "failing" in row.standing.facts
            assert "cannot be read" in " ".join((row.standing.sentence, *row.standing.also))
    assert any("parcels" in failure.config for failure in overview.failures)
    assert {(name, store) for name, store, value in failing(read_metrics(after)) if value == "1.0"} == (
        {(name, store) for name, store, value in metrics if value == "1.0"}
        | {("flights", "parcels"), ("parcels", "parcels")}
    )
    for one in ApiCalls(stores=after).deployments(100, "").deployments:
        assert one.standing is not None
        assert (one.store == "parcels") <= ("cannot be read" in (one.standing.failure or ""))


@pytest.mark.parametrize("happen", [gone, broken])
def test_every_page_over_many_stores_answers(two: Stores, tmp_path: Path, happen: object) -> None:
    assert callable(happen)
    client: TestClient = client_of(happen(two, tmp_path))
    paths = ("/", "/?q=over", "/?state=failing", "/?wall", "/jobs", "/metrics", "/health/ready")
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert client.get("/api/v1/deployments").status_code == 200


def test_it_is_found_again_once_it_is_back(two: Stores, tmp_path: Path) -> None:
    after = gone(two, tmp_path)
    assert read_overview(after, Question()).failures
    (tmp_path / "away").rename(tmp_path / "parcels")
    overview = read_overview(two, Question())
    assert not overview.failures
    assert not any("cannot be read" in row.standing.sentence for row in overview.rows)


def test_a_missing_config_is_failing_though_its_store_can_be_read(two: Stores) -> None:
    files: tuple[ConfigFile, ...] = tuple(
        replace(file, is_missing=True, problem="Its file is gone.") if "parcels" in file.name else file
        for file in two.files
    )
    rows = read_overview(replace(two, files=files), Question(state="failing")).rows
    sentences = {row.address: " ".join((row.standing.sentence, *row.standing.also)) for row in rows}
    missing = [address for address, text in sentences.items() if "parcels/monitor.toml is missing" in text]
    assert missing == ["/d/parcels/2"]
    assert all(row.strip is not None for row in rows if row.address in missing)
    page = client_of(replace(two, files=files)).get("/d/parcels/2").text
    assert "parcels/monitor.toml is missing" in page
