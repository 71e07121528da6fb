"""A run's metrics by domain: read from its folder, or computed from its held-out predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.baseline.metrics import Metrics, measure
from monitoring.errors import BadInput
from pitfalls_tf.rows.table import Table
from pitfalls_tf.training.prepared_rows import load_table
from pitfalls_tf.training.run_folder import OUT_OF_FOLD, read_ensemble
from pitfalls_tf.training.runs import Run
from pitfalls_tf.training.setup import SETUPS

# One object, "domains", with the metrics of each.
DOMAINS: Final = "domains.json"
WHOLE: Final = "all"
NAMES: Final = ("brier", "log_loss", "error", "calibration_error", "auc")


def by_domain(
    probabilities: NDArray[np.float64], targets: NDArray[np.int64], domains: Sequence[str]
) -> dict[str, Metrics]:
    """Metrics in each domain that has labelled rows.

    Args:
        probabilities: float64 [n, classes].
        targets: positions of the labels, int64 [n]; -1 where there is none.
    """
    names, numbers = np.unique(np.asarray(domains, dtype=str), return_inverse=True)
    labelled = targets >= 0
    metrics = {}
    for number, name in enumerate(names):
        inside = labelled & (numbers == number)
        if inside.any():
            metrics[str(name)] = measure(probabilities[inside], targets[inside])
    return metrics


def write_domains(metrics: dict[str, Metrics], folder: Path) -> None:
    """Write a run's metrics by domain into its folder."""
    document = {"domains": {name: asdict(values) for name, values in metrics.items()}}
    (folder / DOMAINS).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def scores_of_runs(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The scores of a runs folder.

    Returns:
        The setup's name, and one row per domain, seed and metric, with the columns setup, domain, seed, metric and
        value; a diverged seed has one row, without a value.

    Runs of version 0.1 have no file of domains: their predictions are joined with the rows of flights.
    """
    ensemble = read_ensemble(folder)
    finished = [run for run in ensemble.runs if not run.diverged]
    if ensemble.setup in SETUPS and not all((run.folder / DOMAINS).is_file() for run in finished):
        table = load_table(SETUPS[ensemble.setup])
        by_seed = {run.seed: _measured(run, table) for run in finished}
    else:
        by_seed = {run.seed: _read(run.folder) for run in finished}
    rows: list[dict[str, Any]] = []
    for run in ensemble.runs:
        if run.diverged:
            rows.append({"domain": WHOLE, "seed": run.seed, "metric": NAMES[0], "value": None})
            continue
        for domain, metrics in by_seed[run.seed].items():
            rows += [{"domain": domain, "seed": run.seed, "metric": name, "value": metrics.get(name)} for name in NAMES]
    return ensemble.setup, [{"setup": ensemble.setup, **row} for row in rows]


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        document = json.loads((folder / DOMAINS).read_text(encoding="utf-8"))
        metrics: dict[str, dict[str, Any]] = {str(name): dict(values) for name, values in document["domains"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            "A run's metrics by domain cannot be read.",
            got=f"{folder / DOMAINS}: {error}",
            expected="what training wrote",
            fix="Train it again with --fresh.",
        ) from error
    return metrics


def _measured(run: Run, table: Table) -> dict[str, dict[str, Any]]:
    predictions = pq.read_table(run.folder / OUT_OF_FOLD)
    if not predictions["row_id"].equals(table.rows["row_id"]) or not predictions["label"].equals(table.rows["label"]):
        raise BadInput(
            "The runs were trained on other rows than their source has now.",
            got=f"{len(predictions)} rows in {run.folder}, {len(table)} in {table.source}",
            expected="the same rows in the same order",
            fix="Train them again with --fresh.",
        )
    flat = pc.list_flatten(predictions["probabilities"].combine_chunks()).to_numpy().astype(np.float64)
    probabilities = flat.reshape(len(table), len(table.classes))
    metrics = by_domain(probabilities, table.targets(), table.domains.to_pylist())
    return {name: asdict(values) for name, values in metrics.items()}
