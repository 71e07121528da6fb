"""URLs of databases: without passwords, and files of SQLite made absolute."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.traffic_section import EXAMPLE_QUERY
from tests.monitoring.config.configs import LEAST, load, problems


def with_url(url: str) -> str:
    return LEAST.replace('"traffic"', f'"{url}"\nquery = "{EXAMPLE_QUERY}"')


def test_the_file_of_sqlite_begins_at_the_folder_of_the_config(tmp_path: Path) -> None:
    assert load(tmp_path, with_url("sqlite:///scores.db")).traffic.path == f"sqlite:///{tmp_path}/scores.db"
    assert load(tmp_path, with_url("sqlite:////a/scores.db")).traffic.path == "sqlite:////a/scores.db"


@pytest.mark.parametrize("url", ["postgresql+pg8000://me:hush@host/a", "postgresql://:hush@host/a"])
def test_a_password_in_the_url_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    (line,) = problems(tmp_path, with_url(url))
    assert "has a password in it" in line
    assert "password_env" in line
    assert "hush" not in line
