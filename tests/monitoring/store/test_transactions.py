from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.store import DeploymentRecord, Store


def test_an_error_of_the_database_is_ours_and_changes_nothing(
    tmp_path: Path, url: str, deployment_record: DeploymentRecord
) -> None:
    with Store.open(url + "?timeout=0.01") as store, closing(sqlite3.connect(tmp_path / "pitfalls.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotRun, match=r"database is locked.*Nothing was changed"):
            store.find_or_create(deployment_record)
        other.rollback()
        assert store.deployments.all() == ()


def test_a_deployment_that_is_not_there_is_not_written_to(url: str) -> None:
    with Store.open(url) as store, pytest.raises(BadInput, match="No such deployment"):
        store.leases.release(7)
