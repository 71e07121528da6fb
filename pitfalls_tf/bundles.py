"""From a runs folder, or any Keras file, to a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput
from pitfalls_tf.runs import read_ensemble, read_manifest
from serving.export import export_bundle
from serving.manifest import Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from serving.export import Bundle


def export_runs(
    runs: Path,
    *,
    name: str,
    models: Path,
    classes: tuple[str, ...],
    clock: Callable[[], datetime],
    verdict: Mapping[str, Any] | None = None,
) -> Bundle:
    """Export the deployed run (the median seed) of RUNS/SETUP, or of RUNS if it holds one setup.

    ``classes`` are the setup's own where none are given. ``verdict`` goes into the manifest, see `pitfalls_tf.gate`.

    Raises:
        BadInput: there are no finished runs, or the files of the deployed one are not there or do not fit.
        CannotRun: see `serving.export.export_bundle`.
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
    reference = read_reference(ensemble.reference)
    return export_bundle(
        ensemble.model, name=name, models=models, reference=reference, provenance=provenance, clock=clock
    )


def read_reference(path: Path) -> pa.Table:
    """The reference table in a Parquet file.

    Raises:
        BadInput: no such file, or not a Parquet file.
    """
    if not path.is_file():
        raise BadInput(
            "No such reference table.",
            got=str(path),
            expected="a Parquet file with one row per prediction",
            fix="Pass --reference FILE.parquet, or train the runs again.",
        )
    try:
        return pq.ParquetFile(path).read()
    except pa.ArrowInvalid as error:
        raise BadInput(
            "The reference table cannot be read.",
            got=f"{path}: {error}",
            expected="a Parquet file with one row per prediction",
            fix="Write it again: pyarrow.parquet.write_table(table, 'reference.parquet').",
        ) from error
