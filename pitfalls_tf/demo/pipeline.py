"""The stages of the demo in order: train, export, serve and replay, monitor, report."""

from __future__ import annotations

import json
import resource
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from monitoring.atomic import SUFFIX, write_text
from monitoring.config import load_config
from monitoring.config.table_section import TableSection
from monitoring.drills.drill import DrillRequest, run_drill
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.report import PICTURE, write_reports
from monitoring.inspection.status import status
from monitoring.records import DrillRecord, MonitorStatus
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from pitfalls_tf.replay import ReplayOptions, ReplayPlan, already_logged, replay
from pitfalls_tf.replay.server_process import ServerFolders, ServerProcess
from pitfalls_tf.sources import flights

NAME = "demo.json"
FORMAT = 1

#: Everything that a demo writes to its folder, and that a fresh start deletes.
MADE = ("runs", "models", "traffic", "report", "monitor.toml", "pitfalls.db", "server.json", "server.log", NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The finished stages of a demo, stored in ``demo.json``. `stages`: results and seconds by stage."""

    folder: Path
    settings: dict[str, Any]
    stages: dict[str, dict[str, Any]]

    def finished(self, stage: str) -> bool:
        """Whether the stage is finished."""
        return stage in self.stages

    def with_stage(self, stage: str, seconds: float, results: dict[str, Any]) -> Journal:
        """Add a finished stage and write the journal."""
        stages = self.stages | {stage: {**results, "seconds": round(seconds, 1)}}
        journal = replace(self, stages=stages)
        document = {"format": FORMAT, "settings": self.settings, "stages": stages}
        write_text(self.folder / NAME, json.dumps(document, indent=1) + "\n")
        return journal


def open_journal(folder: Path, settings: dict[str, Any], *, fresh: bool) -> Journal:
    """Read the journal of a folder, or start one. `folder`: folder of the demo; created if needed."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = path.is_file()
        if not there and any(not entry.name.endswith(SUFFIX) for entry in folder.iterdir()):
            raise BadInput(
                "The folder was not made by a demo.",
                got=f"{folder} with other files",
                expected="a new or empty folder, or the folder of an earlier demo",
                fix="Choose another folder with --out.",
            )
        if there and fresh:
            _clear(folder)
            there = False
        document = json.loads(path.read_text("utf-8")) if there else {"settings": settings, "stages": {}}
        if document["settings"] != settings:
            raise BadInput(
                "The folder has a demo with other settings.",
                got=f"{settings}",
                expected=f"{document['settings']}",
                fix="Choose another folder with --out, or start over with --fresh.",
            )
        journal = Journal(folder=folder, settings=settings, stages=document["stages"])
        if not there:
            write_text(path, json.dumps({"format": FORMAT, "settings": settings, "stages": {}}) + "\n")
    except OSError as error:
        raise CannotRun(
            "The demo's folder cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a writable folder",
            fix="Choose another folder with --out.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The demo's journal cannot be read.",
            got=f"{path}: {error}",
            expected="the journal of an earlier demo",
            fix="Delete the folder, or choose another one with --out.",
        ) from error
    return journal


def _clear(folder: Path) -> None:
    """Delete what a demo wrote, and nothing else."""
    for name in MADE:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (*folder.glob("pitfalls.db-*"), *folder.glob(f".{NAME}*{SUFFIX}")):
        path.unlink()


MODEL = "flights"
TIMEZONE = "America/New_York"
DEPLOYED = datetime(2013, 4, 1, 4, tzinfo=UTC)
YEAR_END = datetime(2014, 1, 1, 5, tzinfo=UTC)
ROWS_PER_REQUEST = 256
STAGES = ("train", "export", "replay", "monitor", "drill", "report", "rollout")

#: The version that the demo's rollout compares with the first.
RETRAINED = 2

#: The faults of the demo's drill, each planted once for some days at most.
FAULTS = ("unit", "answers-base-rate", "labels-one-class", "bad-day", "labels-wrong-10")
DRILL_WINDOWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """Settings of a demo. `picture`: file for a copy of the report's picture, or None."""

    out: Path
    seeds: int = 5
    until: datetime = YEAR_END
    fresh: bool = False
    picture: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """Result of a demo.

    Attributes:
        drill: the last drill, None without one.
        stages: results and seconds of each stage.
        peak_bytes: peak memory of the largest process.
    """

    out: Path
    report: Path
    status: MonitorStatus
    drill: DrillRecord | None
    stages: dict[str, dict[str, Any]]
    peak_bytes: int


class StageListener(Protocol):
    """Receives the progress of a demo."""

    def stage_started(self, name: str, note: str, *, skipped: bool) -> None:
        """A stage starts, or is skipped because it was finished before."""

    def stage_progressed(self, done: int, total: int, note: str) -> None:
        """The current stage has progressed."""


def run_demo(settings: DemoSettings, listener: StageListener) -> DemoResult:
    """Run all stages in `settings.out`; stages that were finished there before are skipped.

    Cost: about two minutes and 2 GB on two cores the first time, seconds after that.
    """
    out = settings.out
    keys = {"seeds": settings.seeds, "until": settings.until.isoformat()}
    journal = open_journal(out, keys, fresh=settings.fresh)
    stages: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
        "train": (f"{settings.seeds} seeds on January to March 2013", lambda: _train(settings, listener)),
        "export": ("the median seed as a bundle with its baseline", lambda: _export(out)),
        "replay": ("April to December over HTTP, labels at their label time", lambda: _replay(settings, listener)),
        "monitor": ("every day evaluated within one false-alarm budget", lambda: _monitor(out, listener)),
        "drill": ("five faults planted in replayed days", lambda: _drill(out, listener)),
        "report": ("report page, picture, drift report of the first page", lambda: _report(out)),
        "rollout": ("a retrained version, replayed and shadowed beside this one", lambda: _rollout(settings, listener)),
    }
    for name in STAGES:
        note, run_stage = stages[name]
        skipped = journal.finished(name)
        started = time.monotonic()
        listener.stage_started(name, note, skipped=skipped)
        if not skipped:
            results = run_stage()
            journal = journal.with_stage(name, time.monotonic() - started, results)
    if settings.picture is not None:
        _copy_picture(out, settings.picture)
    return DemoResult(
        out=out,
        report=out / "report" / "report.html",
        status=_status(out),
        drill=_last_drill(out),
        stages=journal.stages,
        peak_bytes=_peak_bytes(),
    )


def _train(settings: DemoSettings, listener: StageListener) -> dict[str, Any]:
    from pitfalls_tf.training.setup import SETUPS  # noqa: PLC0415 - each stage brings its own libraries
    from pitfalls_tf.training.train import TrainingOutput, train  # noqa: PLC0415 - as above

    ensemble = train(
        SETUPS[MODEL],
        seeds=settings.seeds,
        output=TrainingOutput(runs=settings.out / "runs"),
        progress=lambda now: listener.stage_progressed(now.done, now.total, now.stage),
    ).ensemble
    return {
        "deployed_seed": ensemble.deployed.seed,
        "diverged": list(ensemble.diverged),
        "spread": {metric: asdict(spread) for metric, spread in ensemble.spread.items()},
    }


def _export(out: Path) -> dict[str, Any]:
    from pitfalls_tf.training.bundles import export_runs  # noqa: PLC0415 - brings TensorFlow

    bundle = export_runs(out / "runs" / MODEL, folder=out / "models" / MODEL, clock=lambda: datetime.now(UTC))
    return {"version": bundle.version, "path": str(bundle.path.relative_to(out))}


def _replay(settings: DemoSettings, listener: StageListener) -> dict[str, Any]:
    out = settings.out
    token = secrets.token_urlsafe(24)
    folders = ServerFolders(models=out / "models", traffic=out / "traffic", process=out)
    with ServerProcess(folders, token=token) as server:
        url = server.start()
        summary = replay(
            _deployment_months(settings),
            url=url,
            model=MODEL,
            plan=ReplayPlan(
                rows_per_request=ROWS_PER_REQUEST,
                prefix=MODEL,
                label="label",
                columns=TableSection(label_time="label_time"),
            ),
            progress=lambda p: listener.stage_progressed(p.rows, p.total, f"{p.now:%-d %B %Y}, {p.labels} labels"),
            options=ReplayOptions(token=token, already=already_logged(out / "traffic"), on_disconnect=server.start),
        )
        code = server.stop()
        starts = server.starts
    if code != 0:
        raise CannotRun(
            "The server did not stop cleanly.",
            got=f"exit code {code}",
            expected="0, after answering all accepted requests",
            fix=f"Read {out / 'server.log'}, then run the demo again: it resumes here.",
        )
    return {**asdict(summary), "server_starts": starts}


def _deployment_months(settings: DemoSettings) -> pa.Table:
    return flights.load().between(DEPLOYED, settings.until).rows


def _monitor(out: Path, listener: StageListener) -> dict[str, Any]:
    from monitoring.onboarding.config_file import NAME, write_config  # noqa: PLC0415 - as above

    path = out / NAME
    if not path.exists():
        settings = {
            "model": {"bundle": f"models/{MODEL}"},
            "traffic": {"path": "traffic", "slices": ("origin",)},
            "windows": {"timezone": TIMEZONE},
        }
        write_config(settings, out)
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run = run_due_windows(
            config,
            store,
            clock=lambda: datetime.now(UTC),
            progress=lambda p: listener.stage_progressed(
                p.done, p.due, f"{p.window.start:%-d %B %Y}: {p.window.status}"
            ),
        )
    return {"windows": run.judged, "incidents": len(run.opened)}


def _drill(out: Path, listener: StageListener) -> dict[str, Any]:
    config = load_config(out / "monitor.toml")
    request = DrillRequest(faults=FAULTS, windows=DRILL_WINDOWS, replicates=1, by="pitfalls demo")
    with Store.open(config.store.url) as store:
        drill = run_drill(
            config,
            store,
            request,
            clock=lambda: datetime.now(UTC),
            progress=lambda p: listener.stage_progressed(p.done, p.runs, p.result),
        )
        store.drills.save(drill)
    return {"detected": sum(fault.outcome == "detected" for fault in drill.faults), "faults": len(drill.faults)}


def _last_drill(out: Path) -> DrillRecord | None:
    config = load_config(out / "monitor.toml")
    with Store.open(config.store.url) as store:
        return next(iter(store.drills.latest(MODEL, latest=1)), None)


def _report(out: Path) -> dict[str, Any]:
    config = load_config(out / "monitor.toml")
    with Store.open(config.store.url) as store:
        reports = write_reports(config, store, out=out / "report")
    return {
        "page": str(reports.page.relative_to(out)),
        "drift": None if reports.drift_html is None else str(reports.drift_html.relative_to(out)),
        "drifted_columns": [] if reports.drift is None else [column.column for column in reports.drift.drifted],
    }


def _rollout(settings: DemoSettings, listener: StageListener) -> dict[str, Any]:
    """Retrain on the first third of the deployment, replay the second, and shadow the last."""
    from pitfalls_tf.demo.rollout import compare, retrain  # noqa: PLC0415 - each stage brings its own libraries

    third = timedelta(days=(settings.until - DEPLOYED).days // 3)
    newest = max((int(child.name) for child in (settings.out / "models" / MODEL).iterdir()), default=0)
    if newest < RETRAINED:  # an interrupted stage has exported it
        retrain(settings.out, MODEL, DEPLOYED + third, listener.stage_progressed)
    return compare(settings.out, DEPLOYED + 2 * third, settings.until, listener.stage_progressed)


def _copy_picture(out: Path, target: Path) -> None:
    """Copy the report's picture, made now or earlier."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(shutil.SameFileError):
            shutil.copyfile(out / "report" / PICTURE, target)
    except OSError as error:
        raise CannotRun(
            "The picture was not copied.",
            got=f"{error}",
            expected="the report's picture, and a writable file",
            fix="Choose another --picture; `pitfalls monitor report` draws the picture again.",
        ) from error


def _status(out: Path) -> MonitorStatus:
    config = load_config(out / "monitor.toml")
    with Store.open(config.store.url) as store:
        return status(store, MODEL)


def _peak_bytes() -> int:
    """Peak resident memory of this process or of a child process, as Linux reports it."""
    process_peak, others = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return int(max(process_peak, others)) * 1024
