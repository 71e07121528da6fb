"""The manifest of a bundle: setup, seeds, data, libraries, threads, and metrics."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from monitoring.records import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitoring.baseline.benchmark import ReferenceMetric
    from monitoring.tasks.task import TaskName
    from serving.export.inputs.model_inputs import ModelInput

MANIFEST_FILE = "assets.extra/manifest.json"
FORMAT = 1
LIBRARIES = ("tensorflow", "keras", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What determines a run to the last bit, apart from its seed: versions, thread counts, and kernels.

    With a thread count of 0 TensorFlow takes the number of cores.
    """

    python: str
    libraries: Mapping[str, str]
    machine: str
    cores: int
    intra_op_threads: int
    inter_op_threads: int
    omp_num_threads: str | None  # as the variable was set, None if it was not
    onednn: bool
    deterministic_ops: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How a model was made: its classes, in the order of the probabilities, and how it was trained.

    `training` is the environment of the training run, where it is known; the export records its own as well.
    `verdict` is the comparison with the version before it, and whether it was released in spite of it; None if there
    was none.
    """

    classes: tuple[str, ...] = ()
    setup: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    seeds: tuple[int, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    verdict: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The manifest of a bundle. Its version is the name of its folder, and not repeated here.

    `task` is what the model is known to predict: classes, or a number.
    """

    name: str
    created_at: datetime
    provenance: Provenance
    environment: Environment
    inputs: tuple[ModelInput, ...]
    outputs: tuple[str, ...]
    reference: Mapping[str, Any] | None
    metrics: tuple[ReferenceMetric, ...]
    task: TaskName | None = None

    def document(self) -> dict[str, Any]:
        """The JSON document; metrics have one entry each, with their slices."""
        provenance = self.provenance
        return {
            "format": FORMAT,
            "name": self.name,
            "created_at": self.created_at.isoformat(),
            "classes": list(provenance.classes),
            "setup": provenance.setup,
            "seed": provenance.seed,
            "seeds": list(provenance.seeds),
            "data": provenance.data,
            "training": provenance.training,
            "environment": asdict(self.environment),
            "inputs": [asdict(model_input) | {"kind": model_input.kind} for model_input in self.inputs],
            "outputs": list(self.outputs),
            "task": self.task,
            "reference": self.reference,
            "metrics": nest(self.metrics),
            "verdict": provenance.verdict,
        }

    def write(self, path: Path) -> None:
        """Write the document as JSON."""
        path.write_text(json.dumps(self.document(), indent=1, default=str, allow_nan=False) + "\n", "utf-8")


def nest(metrics: Sequence[ReferenceMetric]) -> list[dict[str, Any]]:
    """One entry per metric: of all rows, and under ``by_slice`` of each slice."""
    entries: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        values = {"mean": metric.mean, "low": metric.low, "high": metric.high, "rows": metric.rows, "days": metric.days}
        if metric.slice == WHOLE:
            entries[metric.metric] = {"metric": metric.metric, **values, "by_slice": {}}
        else:
            entries[metric.metric]["by_slice"][metric.slice] = values
    return list(entries.values())


def environment(*, deterministic_ops: bool = False) -> Environment:
    """The environment of this process. Imports TensorFlow."""
    import tensorflow as tf  # noqa: PLC0415 - callers have loaded it, or are about to

    return Environment(
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        intra_op_threads=tf.config.threading.get_intra_op_parallelism_threads(),
        inter_op_threads=tf.config.threading.get_inter_op_parallelism_threads(),
        omp_num_threads=os.environ.get("OMP_NUM_THREADS"),
        onednn=os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        deterministic_ops=deterministic_ops,
    )
