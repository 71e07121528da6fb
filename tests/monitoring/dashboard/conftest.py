"""The dashboard's store, filled once; a test that changes it takes a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.view.history import (
    HEADLINES,
    DeploymentHistory,
    Drawn,
    HistoryRange,
    read_history,
    with_scores,
)
from monitoring.store import Store
from tests.dashboard_store import make_store, stores_of

EXTENT = HistoryRange(latest=90)


def read(store: Store, place: int) -> DeploymentHistory:
    """A deployment's windows, with the scores of its losses."""
    history = read_history(store, store.overview.summaries()[place], EXTENT)
    return with_scores(store, history, EXTENT, Drawn(watches=(*HEADLINES, "surprise_brier"), part="origin=EWR"))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with deployment 1, which pages, and 2, which does not."""
    path = tmp_path_factory.mktemp("dashboard") / "pitfalls.db"
    make_store(path)
    return path


@pytest.fixture(scope="session")
def shared_store(filled: Path) -> Iterator[Store]:
    """That store, opened; not to be changed."""
    with Store.open(f"sqlite:///{filled}") as store:
        yield store


@pytest.fixture(scope="session")
def history(shared_store: Store) -> DeploymentHistory:
    """The deployment that pages."""
    return read(shared_store, 0)


@pytest.fixture(scope="session")
def calm(shared_store: Store) -> DeploymentHistory:
    """The deployment that does not."""
    return read(shared_store, 1)


@pytest.fixture
def url(filled: Path, tmp_path: Path) -> str:
    """The URL of a copy that a test may change."""
    copy = tmp_path / "pitfalls.db"
    for path in filled.parent.glob("pitfalls.db*"):
        shutil.copy(path, tmp_path / path.name)
    return f"sqlite:///{copy}"


@pytest.fixture
def stores(url: str) -> Iterator[Stores]:
    """The store of that copy."""
    stores = stores_of(url)
    yield stores
    for named in stores.stores:
        named.close()
