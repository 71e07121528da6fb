"""The folder of a setup's runs, to which finished runs are added one by one.

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

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monitoring.atomic import lock_file, publish, staging_folder
from monitoring.baseline.metrics import ConfidenceInterval, Metrics
from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training.runs import MODEL, REFERENCE, Ensemble, Run

FORMAT = 1
MANIFEST = "manifest.json"
METRICS = "metrics.json"
HELD_OUT = "held_out.parquet"
OUT_OF_FOLD = "out_of_fold.parquet"  # of runs of flights by earlier versions
HISTORY = "history.parquet"
ENSEMBLE = "ensemble.json"
UNFINISHED = ".unfinished-"


def folder_of(folder: Path, seed: int) -> Path:
    """The folder of a run in RUNS/SETUP."""
    return folder / f"seed-{seed:04d}"


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Create RUNS/SETUP if needed, lock it for one training at a time, and delete what a killed one left unfinished."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w", encoding="utf-8")
    except OSError as error:
        raise CannotRun(
            "The runs folder cannot be written.",
            got=f"{folder}: {error.strerror}",
            expected="a folder that you can write",
            fix="Name another with --out.",
        ) from error
    with lock:
        if not lock_file(lock.fileno()):
            raise CannotRun(
                "Another training is writing to this folder.",
                got=str(folder),
                expected="a folder that no other process trains into",
                fix="Wait for it to end, or name another with --out.",
            )
        for path in folder.glob(".seed-*"):
            shutil.rmtree(path)
        for path in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield


def clear(folder: Path) -> None:
    """Delete what training wrote into RUNS/SETUP, and no other file."""
    withdraw(folder)
    for path in folder.glob("seed-*"):
        if (path / MANIFEST).is_file():
            shutil.rmtree(path)


def withdraw(folder: Path) -> None:
    """Delete the deployed model and its table, after the summary, which never exists without them."""
    for name in (ENSEMBLE, MODEL, REFERENCE):
        (folder / name).unlink(missing_ok=True)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write in, renamed to `folder` when the block succeeds and deleted when it fails."""
    with staging_folder(folder.parent, f".{folder.name}-") as unfinished:
        yield unfinished
        publish(unfinished, folder)


def read_run(folder: Path) -> Run:
    """Read a run. `folder`: RUNS/SETUP/seed-0000."""
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
    """Read the manifest of a run from a file that the user names.

    Returns:
        The document, with at least setup, seed, data and environment.
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
    """Write the summary over seeds, whole or not at all."""
    document = {
        "format": FORMAT,
        "setup": ensemble.setup,
        "seeds": [run.seed for run in ensemble.runs],
        "diverged": list(ensemble.diverged),
        "deployed": ensemble.deployed.seed,
        "metrics": {str(run.seed): None if run.metrics is None else asdict(run.metrics) for run in ensemble.runs},
        "spread": {name: asdict(spread) for name, spread in ensemble.spread.items()},
    }
    write_atomically(ensemble.folder / ENSEMBLE, lambda path: write_json(path, document))


def read_ensemble(folder: Path) -> Ensemble:
    """Read an ensemble."""
    folders = (
        [folder] if (folder / ENSEMBLE).is_file() else sorted(path.parent for path in folder.glob(f"*/{ENSEMBLE}"))
    )
    if not folders and (seeds := _diverged_alone(folder)):
        raise BadInput(
            "Every run here diverged: there is nothing to compare or to deploy.",
            got=f"{folder} with {len(seeds)} of {len(seeds)} runs diverged (seeds {', '.join(map(str, seeds[:10]))})",
            expected="at least one that did not",
            fix="Train again with a smaller --learning-rate, or another remedy.",
        )
    if len(folders) != 1:
        raise BadInput(
            "Which runs?" if folders else "There are no finished runs here.",
            got=", ".join(str(path) for path in folders) or str(folder),
            expected=f"a folder with {ENSEMBLE}",
            fix="Name one of those." if folders else "Train first: pitfalls train SETUP --out RUNS.",
        )
    document = _read_json(folders[0] / ENSEMBLE)
    runs = tuple(read_run(folder_of(folders[0], seed)) for seed in document["seeds"])
    return Ensemble(
        setup=document["setup"],
        folder=folders[0],
        runs=runs,
        deployed=next(run for run in runs if run.seed == document["deployed"]),
    )


def _diverged_alone(folder: Path) -> list[int]:
    """Seeds of the runs on record in a folder without an ensemble, if every one of them diverged."""
    paths = sorted({*folder.glob(f"seed-*/{METRICS}"), *folder.glob(f"*/seed-*/{METRICS}")})
    runs = [read_run(path.parent) for path in paths]
    return [run.seed for run in runs] if all(run.diverged for run in runs) else []


def deployed_seed(folder: Path) -> int | None:
    """The seed whose model and reference table are in RUNS/SETUP; None if one of them is missing."""
    if not all((folder / name).is_file() for name in (ENSEMBLE, MODEL, REFERENCE)):
        return None
    return int(_read_json(folder / ENSEMBLE)["deployed"])


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a temporary file of the same suffix, which Keras looks at, then rename it to `path`."""
    with staging_folder(path.parent, UNFINISHED) as unfinished:
        write(unfinished / path.name)
        publish(unfinished / path.name, path)


def as_written(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as it is read back from its file: tuples as lists, times as text."""
    read: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return read


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document as indented JSON; times as ISO 8601."""
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
