"""From a runs folder, or any Keras file, to a bundle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from monitoring.rollout.log.versions import TRAINED_UNTIL
from pitfalls_tf.training.run_folder import read_ensemble, read_manifest
from pitfalls_tf.training.setup import IMAGES
from serving.export.export import Bundle, ModelFolder, Reference, export_bundle
from serving.export.inputs.input_roles import NOTHING_DECLARED, DeclaredRoles
from serving.export.manifest import Provenance
from serving.export.table_file import read_table


def export_runs(
    runs: Path,
    *,
    folder: Path | ModelFolder,
    clock: Callable[[], datetime],
    declared: Provenance | None = None,
    roles: DeclaredRoles = NOTHING_DECLARED,
) -> Bundle:
    """Export the deployed run, the median seed's, as a bundle.

    Args:
        folder: MODELS/NAME, which says whether the export is a candidate.
        declared: the classes' names, where they are not the setup's own, and the verdict of
            `pitfalls_tf.verdicts.gate`, for the bundle's manifest; all else is the runs'.
    """
    ensemble = read_ensemble(runs)
    manifest = read_manifest(ensemble.deployed.folder)
    declared = declared or Provenance()
    provenance = Provenance(
        classes=declared.classes or tuple(manifest["classes"]),
        setup=manifest["setup"],
        seed=ensemble.deployed.seed,
        seeds=tuple(run.seed for run in ensemble.runs),
        data={**manifest["data"], **_trained_until(ensemble.reference), **declared.data},
        training=manifest["environment"],
        verdict=declared.verdict,
    )
    # Images have no times, so their runs have no reference table, and their bundle no baseline.
    of_images = manifest["setup"].get("source") in IMAGES
    reference = None if of_images else Reference(table=read_table(ensemble.reference), roles=roles)
    if not ensemble.model.is_file():
        raise BadInput(
            "These runs have no single model.",
            got=f"no {ensemble.model}",
            expected="runs with a model.keras; training prints why it writes none",
            fix="Train with a remedy that leaves rows and single networks as they are.",
        )
    return export_bundle(ensemble.model, folder=folder, reference=reference, provenance=provenance, clock=clock)


def _trained_until(reference: Path) -> dict[str, str]:
    """Until when rows had a part in the runs: the end of their reference, by which the deployed one was chosen, too."""
    if not reference.is_file():
        return {}
    times = pq.ParquetFile(reference).read(columns=["event_time"])["event_time"]
    last = pc.max(times).as_py()
    return {} if last is None else {TRAINED_UNTIL: last.isoformat()}
