"""A store with two deployments, as the dashboard's tests read it: one with an open page, one that is well."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitoring.config.files import ConfigFile
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.records import (
    CauseDetail,
    CauseRow,
    DrillRecord,
    DrillRun,
    FaultResult,
    IncidentEvent,
    IncidentRecord,
    InputDrift,
    MonitorStatus,
    RunRecord,
    SlicePart,
    UnfitFault,
)
from monitoring.sentences.incident_text import incident_text
from monitoring.store import DeploymentRecord, Store
from tests import described_deployment
from tests.incident_words import worded

EXAMPLES = runpy.run_path(str(Path(__file__).parent / "monitoring" / "reports" / "conftest.py"))
WINDOWS = 40
NOW = datetime(2013, 5, 11, 12, tzinfo=UTC)
HOSTILE = "</script><script>document.title='broken out'</script><img src=x onerror=\"document.title='broken out'\">"
STEP = "Next step: check the labels of these rows."


def fill(store: Store, model: str, *, label: str = "UA", page: bool = True) -> int:
    """Judge 40 daily windows of a model; `label` is a value from the traffic. Returns the deployment's number."""
    status: MonitorStatus = EXAMPLES["make_status"](windows=WINDOWS, label=label, model=model)
    number = store.find_or_create(
        DeploymentRecord(
            model=model,
            version=1,
            settings_digest="ab" * 32,
            created_at=NOW - timedelta(hours=6),
            timezone="UTC",
            page_budget=status.page_budget,
            page_threshold=status.page_threshold,
            notice_budget=status.notice_budget,
            notice_threshold=status.notice_threshold,
        )
    )
    for window in status.windows:
        calm = replace(window, status="ok", page_log_evidence=0.5, notice_log_evidence=0.5, findings=())
        last = window is status.windows[-1]
        incidents = incidents_of(status, label) if page and last else ()
        store.commit_window(number, window if page else calm, states={}, label_cursor={}, incidents=incidents)
    ended = NOW - timedelta(hours=5)
    store.runs.begin(number, RunRecord(started_at=ended, ended_at=ended, windows=WINDOWS, rows=9000, host=label))
    store.runs.begin(number, RunRecord(started_at=NOW, error=f"No bundle at {label}." if page else ""))
    store.deployments.save_baseline(number, status.baseline)
    store.deployments.save_sensitivity(number, status.sensitivity)
    if page:
        store.drills.save(drill_of(model, label))
    return number


def drill_of(name: str, label: str = "UA") -> DrillRecord:
    """A drill with a fault that was detected, one that was missed, one too small, and one left out."""
    paged = DrillRun(
        replicate=0, column=label, level="page", delay=2, watch="schema", cause=f"gone {label}", named=label
    )
    unit = FaultResult(
        fault="unit",
        title="number times 100",
        what=f"multiplies {label}",
        touches="inputs",
        level="page",
        runs=(paged,),
    )
    stop = replace(unit, fault="labels-stop", title="labels stop", touches="labels", runs=(DrillRun(replicate=0),))
    return DrillRecord(
        name=name,
        version=1,
        basis="cd" * 32,
        at=NOW - timedelta(hours=1),
        by=label,
        release="0.1.0",
        seed=0,
        source="traffic",
        source_windows=30,
        source_start=NOW - timedelta(days=31),
        source_end=NOW - timedelta(days=1),
        lead=28,
        windows=30,
        replicates=1,
        false_pages=0,
        false_notices=1,
        faults=(unit, stop, replace(stop, fault="labels-wrong-5", title="5 % of labels wrong", promised=False)),
        unfit=(UnfitFault(fault="renamed", title="renamed category", reason="needs a category"),),
    )


def incidents_of(status: MonitorStatus, label: str = "UA") -> tuple[IncidentRecord, ...]:
    """An open page with everything that a cause may have, and an open notice."""
    page, notice, _ = status.incidents
    detail = CauseDetail(
        parts=(SlicePart(metric="brier", column="origin", slice=label, mix=0.001, loss=0.03),),
        inputs=(InputDrift(input=label, log_evidence=9.0),),
        rows=(CauseRow(prediction_id=f"request-{label}:0", event_time=page.window_start, score=0.81),),
    )
    message = f"{incident_text(page).message} {label} {STEP}"
    history = (IncidentEvent(at=page.opened_at, state="open"),)
    opened = replace(
        page,
        state="open",
        closed_at=None,
        diagnoses=worded(f"{incident_text(page).cause} {label}", message),
        detail=detail,
        history=history,
    )
    return opened, notice


def make_store(path: Path, *, label: str = "UA", models: tuple[str, str] = ("flights", "parcels")) -> str:
    """Write the store. Returns its URL."""
    url = f"sqlite:///{path}"
    with Store.open(url) as store:
        fill(store, models[0], label=label)
        fill(store, models[1], page=False)
    return url


def stores_of(url: str) -> Stores:
    """The dashboard's pages of that store, at a fixed time."""
    return Stores(stores=(NamedStore(name="shop", url=url, files=()),), clock=lambda: NOW)


def described_stores(
    folder: Path,
    *,
    comments: Sequence[str] = described_deployment.WORDS,
    sections: str = "",
    photos: NDArray[np.float64] | None = None,
    files: Sequence[bytes] = (),
) -> Stores:
    """The dashboard's pages of a deployment whose rows have texts and images, with a page; they are in the folder."""
    config = described_deployment.make(folder, comments=comments, sections=sections, photos=photos, files=files)
    with Store.open(config.store.url) as store:
        status: MonitorStatus = EXAMPLES["make_status"](windows=2, model="parcels")
        number = store.find_or_create(
            DeploymentRecord(
                model="parcels",
                version=1,
                settings_digest="cd" * 32,
                created_at=NOW - timedelta(hours=6),
                timezone="UTC",
                page_budget=status.page_budget,
                page_threshold=status.page_threshold,
                notice_budget=status.notice_budget,
                notice_threshold=status.notice_threshold,
            )
        )
        found = described_deployment.incident()
        window = replace(status.windows[-1], start=found.window_start, end=found.window_end)
        store.commit_window(number, window, states={}, label_cursor={}, incidents=(found,))
    file = ConfigFile(path=folder / "monitor.toml", config=config)
    return Stores(
        stores=(NamedStore(name="shop", url=config.store.url, files=(file,)),), files=(file,), clock=lambda: NOW
    )
