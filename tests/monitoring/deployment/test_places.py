"""Where a deployment's traffic is, as its store remembers it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.loading import parse_config
from monitoring.config.sections import MonitorConfig
from monitoring.deployment.places import traffic_place

POSTGRESQL = '[store]\nurl = "postgresql+pg8000://u:p@db/x"\n'


def config(folder: Path, path: str, store: str = "") -> MonitorConfig:
    found = parse_config(f'[model]\nbundle = "m/flights"\n[traffic]\n{path}\n{store}', folder)
    assert isinstance(found, MonitorConfig), found
    return found


def test_a_folder_that_is_moved_with_its_store_has_the_same_traffic(tmp_path: Path) -> None:
    places = [traffic_place(config(tmp_path / name, 'path = "live"')) for name in ("here", "there")]
    assert places == ["live", "live"]


def test_paths_of_two_folders_differ_in_a_shared_store(tmp_path: Path) -> None:
    store = f'[store]\nurl = "sqlite:///{tmp_path}/shared.db"\n'
    assert [traffic_place(config(tmp_path / name, 'path = "live"', store)) for name in ("eu", "us")] == [
        "eu/live",
        "us/live",
    ]
    assert traffic_place(config(tmp_path / "eu", 'path = "live"', POSTGRESQL)) == f"{tmp_path}/eu/live"


def test_traffic_that_is_named_with_each_run_goes_by_the_label_log(tmp_path: Path) -> None:
    found = config(tmp_path, "", POSTGRESQL)
    named = found.model_copy(update={"traffic": found.traffic.with_path(tmp_path / "june.parquet")})
    assert traffic_place(found) == traffic_place(named)
    assert str(tmp_path / "label-log") in traffic_place(named)


def test_the_command_line_does_not_make_another_deployment(tmp_path: Path) -> None:
    found = config(tmp_path, 'path = "live"')
    once = found.traffic.with_path(tmp_path / "june.parquet")
    twice = once.with_path(tmp_path / "july.parquet")
    for section in (once, twice):
        assert traffic_place(found.model_copy(update={"traffic": section})) == "live"


@pytest.mark.parametrize("url", ["s3://bucket/live/*.parquet?key=secret", "https://u:secret@host/live?token=secret"])
def test_secrets_of_a_url_are_left_out(tmp_path: Path, url: str) -> None:
    place = traffic_place(config(tmp_path, f'path = "{url}"'))
    assert "secret" not in place
    assert "live" in place


def test_rows_of_a_database_go_by_their_query(tmp_path: Path) -> None:
    query = "SELECT * FROM a WHERE region = 'eu' AND t >= :start AND t < :end"

    def place(url: str, text: str = query) -> str:
        found = config(tmp_path, f'path = "{url}"\nquery = """{text}"""')
        overridden = found.model_copy(update={"traffic": found.traffic.with_path(tmp_path / "june.parquet")})
        assert traffic_place(overridden) == traffic_place(found)
        return traffic_place(found)

    eu = place("postgresql+pg8000://reader@host/scores?sslmode=secret")
    assert eu.startswith("postgresql+pg8000://host/…scores, query ")
    assert place("postgresql+pg8000://other@host/scores", f"\n  {query}\n") == eu
    assert place("postgresql+pg8000://reader@host/scores", query.replace("eu", "us")) != eu
    assert place("sqlite:///scores.db").startswith("scores.db, query ")
