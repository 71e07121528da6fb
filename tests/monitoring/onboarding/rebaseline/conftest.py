"""A deployment that a new baseline is made for, judged once for all tests."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.monitoring.onboarding.rebaseline.test_rebaseline import ASKED, judge, rows
from tests.own_table import own_rows, watch
from tests.small_deployment import LIVE, Days


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose benign shift has paged."""
    folder = tmp_path_factory.mktemp("judged")
    reference = own_rows(Days(days=50, start=LIVE - timedelta(days=60), seed=1))
    watched = watch(folder, reference, traffic="../live/*.parquet", slices=())
    watched.live("1.parquet", rows(0, ASKED))
    text = watched.adopted.config.read_text()
    watched.adopted.config.write_text(text.replace("[budget]", "[budget]\n# agreed with the owners"))
    judge(watched.adopted.config, ASKED)
    return folder


@pytest.fixture
def config(judged: Path, tmp_path: Path) -> Path:
    """The config of a copy of it."""
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    return tmp_path / "flights" / "monitor.toml"
