from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from monitoring.errors import CannotRun
from monitoring.records import IncidentRecord, WindowRecord
from monitoring.store import Store

MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


def test_before_the_first_window_there_is_nothing(store: Store, deployment: int) -> None:
    assert store.windows.last(deployment) is None
    assert store.deployments.states(deployment) == {}
    assert store.windows.read(deployment) == ()
    assert store.incidents.read(deployment) == ()
    assert store.deployments.sensitivity(deployment) == ()
    assert store.deployments.baseline(deployment) == ()


def test_a_window_comes_back_from_another_process_s_point_of_view(
    store: Store, url: str, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0))
    commit(store, deployment, window(1, scores=0), incident)
    with Store.open(url) as other:
        assert other.windows.read(deployment) == (window(0), window(1, scores=0))
        assert other.windows.read(deployment, scores=False) == (window(0, scores=0), window(1, scores=0))
        last = other.windows.last(deployment)
        assert last is not None
        assert (last.record, last.label_cursor) == (window(1, scores=0), {"segment": 7})
        assert other.deployments.states(deployment) == {"page": f"after {window(1).start}"}
        assert other.incidents.read(deployment) == (incident,)


def test_a_commit_that_fails_at_its_end_leaves_nothing(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    naive = replace(incident, opened_at=datetime(2013, 4, 1))  # noqa: DTZ001 (a time without a zone is the point)
    with pytest.raises(StatementError, match="without a zone"):
        commit(store, deployment, window(0), naive)
    assert store.windows.read(deployment) == ()
    assert store.deployments.states(deployment) == {}


def test_a_store_that_breaks_while_open_says_so(store: Store, deployment: int, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "pitfalls.db").write_bytes(b"no longer a database" * 1000)
    with pytest.raises(CannotRun, match=r"cannot be used.*not a database"):
        store.windows.read(deployment)
