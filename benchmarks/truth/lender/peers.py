"""Products on the lender's streams: river's detectors, tuned; NannyML and Evidently at their defaults."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.results import Cell, Table
from benchmarks.truth import monitor_peers
from benchmarks.truth.lender.changes import HARMS
from benchmarks.truth.lender.law import CATEGORIES, NUMBERS, ROWS_A_DAY, Change, Day, sigmoid
from benchmarks.truth.lender.streams import HARMED, QUIET, REFERENCE, YEAR, Losses, calm_days, harmed_days

#: Days of each harm that NannyML judges; days without harm and of each harm that Evidently does, which is slow.
NANNYML_DAYS, EVIDENTLY_DAYS = 30, (10, 3)

Firsts = NDArray[np.int64]


def online(
    folder: Path, calm: tuple[Losses, Losses], harmed: tuple[Losses, Mapping[str, Losses]], pages: float
) -> tuple[dict[str, tuple[dict[str, Firsts], float]], tuple[str, ...]]:
    """ADWIN and Page-Hinkley by river, each with the setting whose false alarms come nearest to `pages`.

    Args:
        folder: where the peers' environment is, or is made.
        harmed: references of the harmed streams, and the days of each harm, quiet ones first.
        pages: false alarms wanted in 365 days.

    Returns:
        By detector the first alarm of each stream under each harm, and its false alarms in 365 days; and remarks.
    """
    (references, clean), (reference, harms) = calm, harmed
    streams = {"clean": references + clean} | {name: reference + live for name, live in harms.items()}
    try:
        python = monitor_peers.peer_python(folder / "nannyml")
        alarms = _judged_by_river(python, folder, streams)
    except (subprocess.CalledProcessError, OSError) as error:
        return {}, (f"Not measured: river's ADWIN and Page-Hinkley: {error}",)
    results = {}
    for detector, by_setting in alarms["clean"].items():
        rates = {name: float(np.mean(flags)) * YEAR for name, flags in by_setting.items()}
        setting = min(rates, key=lambda name: abs(np.log((rates[name] + 0.02) / (pages + 0.02))))
        firsts = {}
        for harm in harms:
            at = np.array(alarms[harm][detector][setting])[:, QUIET:]
            firsts[harm] = np.where(at.any(axis=1), at.argmax(axis=1) + 1, HARMED + 1)
        results[detector] = firsts, rates[setting]
    return results, ()


def _judged_by_river(
    python: Path, folder: Path, streams: Mapping[str, Losses]
) -> dict[str, dict[str, dict[str, list[list[bool]]]]]:
    """Alarms by stream's name, detector and setting: [streams][days after the reference]."""
    streams_file, answered = folder / "river_streams.npz", folder / "river_alarms.json"
    rng = np.random.default_rng(0)
    stored: dict[str, Any] = {"names": np.array(list(streams)), "known": np.array(REFERENCE)}
    for name, losses in streams.items():
        wrong = np.rint(losses.errors * ROWS_A_DAY).astype(np.int64)
        rows = np.arange(ROWS_A_DAY)[None, None, :] < wrong[:, :, None]
        stored[f"{name}:errors"] = rng.permuted(rows, axis=2)
        stored[f"{name}:losses"] = np.stack([losses.errors, losses.brier], axis=2)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(streams_file, **stored)
    script = Path(__file__).with_name("river_script.py")
    subprocess.run([python, script, streams_file, answered], check=True)
    alarms: dict[str, dict[str, dict[str, list[list[bool]]]]] = json.loads(answered.read_text("utf-8"))
    streams_file.unlink()
    return alarms


def frame(day: Day) -> pd.DataFrame:
    """A day as the products take it: inputs, score, prediction and label."""
    columns: dict[str, object] = {name: day.numbers[:, at] for at, name in enumerate(NUMBERS)}
    for name, codes in (("region", day.region), ("channel", day.channel)):
        columns[name] = np.array(CATEGORIES[name][0], dtype=object)[codes]
    return pd.DataFrame({**columns, "score": sigmoid(day.score), "prediction": day.answers, "label": day.labels})


def products_table(folder: Path, *, quick: bool) -> tuple[Table | None, tuple[str, ...]]:
    """Which days of one stream NannyML and Evidently flag at their defaults, calm and under each harm.

    Args:
        folder: where NannyML's environment is, or is made.
        quick: two harms only.

    Returns:
        The table, None if a product cannot be run; and remarks.
    """
    reference_frames = [frame(day) for day in calm_days(0, 0, REFERENCE)]
    calm = [frame(day) for day in calm_days(0, REFERENCE, QUIET)]
    rows: list[tuple[Cell, ...]] = []
    harms = dict(list(HARMS.items())[2:4]) if quick else HARMS
    for name, live in (("none", calm), *((name, _first_days(change)) for name, (change, _, _) in harms.items())):
        evidently_days = EVIDENTLY_DAYS[0] if name == "none" else EVIDENTLY_DAYS[1]
        try:
            nannyml = monitor_peers.nannyml_defaults(reference_frames, live, folder / "nannyml")
            evidently = monitor_peers.evidently_preset(reference_frames, live[:evidently_days])
        except (subprocess.CalledProcessError, OSError, ImportError) as error:
            return None, (f"Not measured: NannyML and Evidently: {error}",)
        first = f"{int(nannyml.argmax()) + 1}" if nannyml.any() else "-"
        cells = [f"{int(flags.sum())} of {flags.size}" for flags in (nannyml, *evidently.values())]
        rows.append((name, cells[0], first, *cells[1:]))
    columns = ("harm", "NannyML: days flagged", "first", "Evidently: data set drift", "Evidently: any column")
    note = "One stream. Harms that grow are in force at once. Both products test rows, at their defaults."
    return Table(title="Days that products flag", columns=columns, rows=tuple(rows), note=note), ()


def _first_days(change: Change) -> list[pd.DataFrame]:
    return [frame(day) for day in harmed_days(0, change, 1)[:NANNYML_DAYS]]
