"""Traffic of files, of a log or of a database: what goes together, and what a run may name instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config.traffic_section import EXAMPLE_LABELS_QUERY, EXAMPLE_QUERY
from tests.monitoring.config.configs import LEAST, load, problems

URL = "postgresql+pg8000://reader@host/scores"
DATABASE = f'"{URL}"\nquery = "{EXAMPLE_QUERY}"'


def test_a_database_has_a_query_and_its_labels_one_too(tmp_path: Path) -> None:
    lines = f'{DATABASE}\nlabels_query = "{EXAMPLE_LABELS_QUERY}"\nquery_timeout = "2m"\npassword_file = "secret"'
    found = load(tmp_path, LEAST.replace('"traffic"', lines)).traffic
    assert (found.path, found.query, found.labels_query) == (URL, EXAMPLE_QUERY, EXAMPLE_LABELS_QUERY)
    assert (found.query_timeout.total_seconds(), found.password_file) == (120.0, tmp_path / "secret")


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (f'"{URL}"', 'there is no query. Got "postgresql+pg8000://host/…"'),
        (f'"traffic"\nquery = "{EXAMPLE_QUERY}"', "query needs the URL of a database in path"),
        (f'"s3://bucket/a"\nquery = "{EXAMPLE_QUERY}"', "query needs the URL of a database in path"),
        ('"traffic"\npassword_env = "A"', "password_env goes with a query"),
        (f'{DATABASE}\nlabels = "labels.csv"', "labels names files"),
        (f'{DATABASE}\npassword_env = "A"\npassword_file = "b"', "the database needs its password, in one way"),
        (DATABASE.replace(":end", "now()"), "does not use :end"),
        (DATABASE.replace(" :", "::"), "does not use :start and :end"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, lines: str, part: str) -> None:
    (line,) = problems(tmp_path, LEAST.replace('"traffic"', lines))
    assert part in line


def test_another_path_of_a_run_has_no_query_unless_it_is_a_database(tmp_path: Path) -> None:
    section = load(tmp_path, LEAST.replace('"traffic"', DATABASE)).traffic
    files, other = section.with_path(tmp_path), section.with_path("sqlite:////tmp/a.db")
    assert (files.path, files.query, files.declared) == (tmp_path, None, section)
    assert (other.path, other.query) == ("sqlite:////tmp/a.db", EXAMPLE_QUERY)
