"""The small deployment, judged for 28 days; and a drill of it, shared by tests that only look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.deployment.deployment import Deployment
from monitoring.deployment.deployment import deploy as deploy_config
from monitoring.drills.drill import DrillProgress, DrillRequest, run_drill
from monitoring.records import DrillRecord
from monitoring.runs.run import judge_windows
from monitoring.runs.run_request import DueRequest
from monitoring.store.store import Store
from tests.small_deployment import CONFIG, Days, bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

LIVE_DAYS = 28
NOW = datetime(2013, 5, 12, tzinfo=UTC)
ASKED = DrillRequest(
    faults=("unit", "silence", "labels-inverted", "stale", "labels-stop"), windows=3, lead=10, replicates=2, by="ada"
)


@dataclass(frozen=True, kw_only=True)
class Drilled:
    """A folder with a deployment, the drill, its progress, and the folder's files before and after it."""

    folder: Path
    record: DrillRecord
    progress: tuple[DrillProgress, ...]
    before: dict[Path, bytes]
    after: dict[Path, bytes]

    @property
    def config(self) -> MonitorConfig:
        """The deployment's config."""
        return load_config(self.folder / "monitor.toml")


def files_of(folder: Path) -> dict[Path, bytes]:
    """What every file of a folder holds; SQLite's files of open connections apart."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {path: path.read_bytes() for path in found}


@pytest.fixture(scope="session")
def judged(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose traffic of 28 days is judged; nobody may write into it."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "models").symlink_to(bundle / "models")
    (folder / "monitor.toml").write_text(CONFIG)
    write: Callable[..., None] = send.__wrapped__()  # type: ignore[attr-defined]  # the fixture's own function
    write(folder, Days(days=LIVE_DAYS))
    config = load_config(folder / "monitor.toml")
    with Store.open(config.store.url) as store:
        judge_windows(config, store, DueRequest(sensitivity=False), clock=lambda: NOW)
    return folder


@pytest.fixture(scope="session")
def made(judged: Path) -> Deployment:
    """That deployment, ready to be judged."""
    return deploy_config(load_config(judged / "monitor.toml"))


@pytest.fixture(scope="session")
def drilled(judged: Path) -> Drilled:
    """A drill of it."""
    config, progress = load_config(judged / "monitor.toml"), list[DrillProgress]()
    before = files_of(judged)
    with Store.open(config.store.url) as store:
        record = run_drill(config, store, ASKED, clock=lambda: NOW, progress=progress.append)
    return Drilled(folder=judged, record=record, progress=tuple(progress), before=before, after=files_of(judged))
