"""From a runs folder, or any Keras file, to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput
from pitfalls_tf.training.run_folder import read_ensemble, read_manifest
from serving.export.export import export_bundle
from serving.export.manifest import Provenance
from serving.export.table_file import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from serving.export.export import Bundle


def export_runs(
    runs: Path,
    *,
    name: str,
    models: Path,
    classes: tuple[str, ...],
    clock: Callable[[], datetime],
    verdict: Mapping[str, Any] | None = None,
) -> Bundle:
    """Export the deployed run, the median seed's, as a bundle.

    Args:
        runs: RUNS/SETUP, or RUNS if it holds one setup.
        name: of the model.
        models: the models folder.
        classes: their names; empty for the setup's own.
        clock: the time.
        verdict: for the bundle's manifest, see `pitfalls_tf.verdicts.gate`.

    Returns:
        The bundle.

    Raises:
        BadInput: there are no finished runs, or the files of the deployed one are missing or do not match.
        CannotRun: see `serving.export.export.export_bundle`.
    """
    ensemble = read_ensemble(runs)
    manifest = read_manifest(ensemble.deployed.folder)
    provenance = Provenance(
        classes=classes or tuple(manifest["classes"]),
        setup=manifest["setup"],
        seed=ensemble.deployed.seed,
        seeds=tuple(run.seed for run in ensemble.runs),
        data=manifest["data"],
        training=manifest["environment"],
        verdict=verdict,
    )
    # Images have no times, so their runs have no reference table, and their bundle no baseline.
    reference = None if manifest["setup"].get("source") == "digits" else read_table(ensemble.reference)
    if not ensemble.model.is_file():
        raise BadInput(
            "These runs have no single model.",
            got=f"no {ensemble.model}",
            expected="runs with a model.keras; training prints why it writes none",
            fix="Train with a remedy that leaves rows and single networks as they are.",
        )
    return export_bundle(
        ensemble.model, name=name, models=models, reference=reference, provenance=provenance, clock=clock
    )
