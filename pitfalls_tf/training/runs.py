"""Runs and ensembles as records, and as a folder that grows by one finished run at a time.

RUNS/SETUP/seed-0000/manifest.json      setup, seed, data digest, environment, digest of the weights
                     metrics.json       over the labelled held-out rows
                     held_out.parquet   predictions of the held-out rows
                     history.parquet    one row per fit and epoch
                     domains.json       metrics by domain
                     fit.npz            weights of every fit
RUNS/SETUP/model.keras                  the median seed's
           reference.parquet            the median seed's held-out predictions with their rows
           ensemble.json                spread over seeds, and which seed is deployed; written last
"""

from __future__ import annotations

import fcntl
import json
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from monitoring.atomic import aside_folder, publish
from monitoring.baseline.metrics import ConfidenceInterval, Metrics
from monitoring.errors import BadInput, CannotRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FORMAT = 1
MANIFEST = "manifest.json"
METRICS = "metrics.json"
HELD_OUT = "held_out.parquet"
OUT_OF_FOLD = "out_of_fold.parquet"  # of runs of flights by earlier versions
HISTORY = "history.parquet"
MODEL = "model.keras"
REFERENCE = "reference.parquet"
ENSEMBLE = "ensemble.json"
UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One seed of a setup. A diverged run, whose loss stopped being a number, has no metrics and stays on record."""

    seed: int
    folder: Path
    metrics: Metrics | None
    intervals: Mapping[str, ConfidenceInterval]

    @property
    def diverged(self) -> bool:
        """Whether any of its fits came to nothing."""
        return self.metrics is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One metric over the seeds that did not diverge; `deviation` is the sample standard deviation, None for one seed.

    `worst_minus_median` is how much worse than promised a single careless run may be, 0 or more whatever the metric.
    """

    median: float
    deviation: float | None
    best: float
    worst: float
    worst_minus_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """The runs of a setup in order of seed, and the one whose Brier score is the median: the one deployed."""

    setup: str
    folder: Path
    runs: tuple[Run, ...]
    deployed: Run

    @property
    def diverged(self) -> tuple[int, ...]:
        """Seeds of the runs that diverged."""
        return tuple(run.seed for run in self.runs if run.diverged)

    @property
    def spread(self) -> dict[str, Spread]:
        """Each metric over the seeds."""
        kept = [asdict(run.metrics) for run in self.runs if run.metrics is not None]
        return {
            name: _spread([float(metrics[name]) for metrics in kept], larger_is_better=name == "auc")
            for name in ("brier", "log_loss", "error", "calibration_error", "auc")
            if all(metrics[name] is not None for metrics in kept)
        }

    @property
    def model(self) -> Path:
        """The deployed run's Keras file."""
        return self.folder / MODEL

    @property
    def reference(self) -> Path:
        """The deployed run's reference table."""
        return self.folder / REFERENCE


def median(runs: Sequence[Run]) -> Run:
    """Of the runs that did not diverge, the one with the median Brier score; of an even number, the better middle one.

    Raises:
        CannotRun: every run diverged.
    """
    ranked = sorted((run.metrics.brier, run.seed, run) for run in runs if run.metrics is not None)
    if not ranked:
        raise CannotRun(
            "Every run diverged, so there is nothing to deploy.",
            got=f"{len(runs)} of {len(runs)} runs diverged",
            expected="at least one that did not",
            fix="Lower the setup's learning rate.",
        )
    return ranked[(len(ranked) - 1) // 2][2]


def folder_of(folder: Path, seed: int) -> Path:
    """Where in RUNS/SETUP a run lives."""
    return folder / f"seed-{seed:04d}"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Make RUNS/SETUP if need be, hold it for one training at a time, and clear what a killed one left unfinished.

    Raises:
        CannotRun: nothing can be written there, or another process is training into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise CannotRun(
            "The runs folder cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a folder of yours",
            fix="Name another with --out.",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(
                "Another training is at work in this folder.",
                got=str(folder),
                expected="a folder that nobody trains into",
                fix="Wait for it to end, or name another with --out.",
            ) from error
        for path in folder.glob(".seed-*"):
            shutil.rmtree(path)
        for path in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield


def clear(folder: Path) -> None:
    """Delete what training wrote into RUNS/SETUP, and nothing else that may lie there."""
    withdraw(folder)
    for path in folder.glob("seed-*"):
        if (path / MANIFEST).is_file():
            shutil.rmtree(path)


def withdraw(folder: Path) -> None:
    """Delete the deployed model of RUNS/SETUP with its table: the summary first, so it never stands without them."""
    for name in (ENSEMBLE, MODEL, REFERENCE):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A folder to write in, renamed to `folder` when the block ends well and deleted when it does not."""
    with aside_folder(folder.parent, f".{folder.name}-") as unfinished:
        yield unfinished
        publish(unfinished, folder)


def read_run(folder: Path) -> Run:
    """The run in a folder.

    Raises:
        BadInput: the folder does not hold a finished run.
    """
    document, manifest = (_read_json(folder / name) for name in (METRICS, MANIFEST))
    metrics = document["metrics"]
    return Run(
        seed=int(manifest["seed"]),
        folder=folder,
        metrics=None if metrics is None else Metrics(**metrics),
        intervals={name: ConfidenceInterval(**interval) for name, interval in document["intervals"].items()},
    )


def read_manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any]:
    """The manifest of a run, as written."""
    return _read_json(folder / name)


def read_run_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run, from a file that somebody named.

    Args:
        path: a run's manifest.json, whatever it is called.

    Returns:
        The document, with at least setup, seed, data and environment.

    Raises:
        BadInput: there is none, or it is of something else.
    """
    if not path.is_file():
        raise BadInput(
            "No such manifest.",
            got=str(path),
            expected="a run's manifest.json",
            fix="Name one: RUNS/SETUP/seed-0000/manifest.json.",
        )
    manifest = read_manifest(path.parent, path.name)
    if not {"setup", "seed", "data", "environment"} <= set(manifest) or not isinstance(manifest["setup"], dict):
        raise BadInput(
            "Not the manifest of a run.",
            got=f"{path} with {', '.join(sorted(manifest)) or 'nothing'}",
            expected="setup, seed, data and environment",
            fix="Name one: RUNS/SETUP/seed-0000/manifest.json.",
        )
    return manifest


def write_run(run: Run, manifest: Mapping[str, Any], *, into: Path) -> None:
    """Write a run's manifest and metrics into a folder."""
    document = {
        "metrics": None if run.metrics is None else asdict(run.metrics),
        "intervals": {name: asdict(interval) for name, interval in run.intervals.items()},
        "diverged": run.diverged,
    }
    write_json(into / METRICS, document)
    write_json(into / MANIFEST, {"format": FORMAT, **manifest})


def write_ensemble(ensemble: Ensemble) -> None:
    """Write the summary over seeds, aside and renamed."""
    document = {
        "format": FORMAT,
        "setup": ensemble.setup,
        "seeds": [run.seed for run in ensemble.runs],
        "diverged": list(ensemble.diverged),
        "deployed": ensemble.deployed.seed,
        "metrics": {str(run.seed): None if run.metrics is None else asdict(run.metrics) for run in ensemble.runs},
        "spread": {name: asdict(spread) for name, spread in ensemble.spread.items()},
    }
    write_aside(ensemble.folder / ENSEMBLE, lambda path: write_json(path, document))


def read_ensemble(folder: Path) -> Ensemble:
    """The ensemble in RUNS/SETUP, or in RUNS when it holds one setup only.

    Raises:
        BadInput: there is none, several to choose from, or every run diverged.
    """
    found = [folder] if (folder / ENSEMBLE).is_file() else sorted(path.parent for path in folder.glob(f"*/{ENSEMBLE}"))
    if not found and (seeds := _diverged_alone(folder)):
        raise BadInput(
            "Every run here diverged, so there is nothing to compare or to deploy.",
            got=f"{folder} with {len(seeds)} of {len(seeds)} runs diverged (seeds {', '.join(map(str, seeds[:10]))})",
            expected="at least one that did not",
            fix="Train again with a smaller --learning-rate, or another remedy.",
        )
    if len(found) != 1:
        raise BadInput(
            "Which runs?" if found else "There are no finished runs here.",
            got=", ".join(str(path) for path in found) or str(folder),
            expected=f"a folder with {ENSEMBLE}",
            fix="Name one of those." if found else "Train first: pitfalls train SETUP --out RUNS.",
        )
    document = _read_json(found[0] / ENSEMBLE)
    runs = tuple(read_run(folder_of(found[0], seed)) for seed in document["seeds"])
    return Ensemble(
        setup=document["setup"],
        folder=found[0],
        runs=runs,
        deployed=next(run for run in runs if run.seed == document["deployed"]),
    )


def _diverged_alone(folder: Path) -> list[int]:
    """Seeds of the runs on record in a folder without an ensemble, if every one of them diverged."""
    paths = sorted({*folder.glob(f"seed-*/{METRICS}"), *folder.glob(f"*/seed-*/{METRICS}")})
    runs = [read_run(path.parent) for path in paths]
    return [run.seed for run in runs] if all(run.diverged for run in runs) else []


def deployed_seed(folder: Path) -> int | None:
    """The seed whose model stands in RUNS/SETUP, whole and with its table; None if there is no such model."""
    if not all((folder / name).is_file() for name in (ENSEMBLE, MODEL, REFERENCE)):
        return None
    return int(_read_json(folder / ENSEMBLE)["deployed"])


def write_aside(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file aside, then rename it to `path`. It keeps its suffix, which Keras looks at."""
    with aside_folder(path.parent, UNFINISHED) as unfinished:
        write(unfinished / path.name)
        publish(unfinished / path.name, path)


def as_written(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as it comes back from its file: tuples as lists, moments as text."""
    read: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return read


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as indented JSON; moments as ISO 8601."""
    path.write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(
            "Not a finished run.",
            got=f"{path}: {error}",
            expected="a run's JSON file",
            fix="Train it again with --fresh.",
        ) from error
    return document


def _spread(values: Sequence[float], *, larger_is_better: bool) -> Spread:
    low, high = min(values), max(values)
    middle, worst = float(np.median(values)), low if larger_is_better else high
    return Spread(
        median=middle,
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        best=high if larger_is_better else low,
        worst=worst,
        worst_minus_median=abs(worst - middle),
    )
