from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.records import IncidentAction, IncidentEvent, IncidentRecord, ScoreRecord, WindowRecord
from monitoring.store import DeploymentRecord, Store
from tests.incident_words import worded

APRIL = datetime(2013, 4, 1, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pitfalls.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def deployment_record() -> DeploymentRecord:
    return DeploymentRecord(
        model="flights",
        version=1,
        settings_digest="ab" * 32,
        created_at=APRIL,
        timezone="America/New_York",
        page_budget="1 per 365 windows",
        page_threshold=365.0,
        notice_budget="1 per 30 windows",
        notice_threshold=30.0,
        name="flights",
        traffic="live/*.parquet",
    )


@pytest.fixture
def deployment(store: Store, deployment_record: DeploymentRecord) -> int:
    return store.find_or_create(deployment_record)


@pytest.fixture
def window() -> Callable[..., WindowRecord]:
    """Makes the n-th day's window, with so many scores."""

    def make(day: int = 0, scores: int = 2) -> WindowRecord:
        return WindowRecord(
            start=APRIL + timedelta(days=day),
            end=APRIL + timedelta(days=day + 1),
            rows=900,
            labels=850,
            labels_due=880,
            labels_unknown=3,
            repeats=1,
            unseen=7,
            status="ok",
            page_log_evidence=0.1 * day,
            notice_log_evidence=float("-inf"),
            scores=tuple(
                ScoreRecord(level="page", watch=f"watch_{n}", slice="", rows=900, value=n / 7, log_evidence=-n / 3)
                for n in range(scores)
            ),
        )

    return make


@pytest.fixture
def incident() -> IncidentRecord:
    return IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=APRIL + timedelta(days=1, hours=6),
        window_start=APRIL,
        window_end=APRIL + timedelta(days=1),
        watch="surprise_brier",
        slice="origin=EWR",
        diagnoses=worded("the model is wrong", "Brier rose from .146 to .203."),
        history=(IncidentEvent(at=APRIL + timedelta(days=1, hours=6), state="open"),),
    )


def acknowledgement(at: datetime) -> IncidentAction:
    """Somebody acknowledges an incident."""
    return IncidentAction(at=at, by="operator", kind="acknowledge")
