"""Runs experiments one after the other into one folder; each resumes where it stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pitfalls_tf.experiments.pages.index import write_index
from pitfalls_tf.experiments.pages.page import ExperimentProvenance, write_page
from pitfalls_tf.experiments.processor import current_processor
from pitfalls_tf.experiments.run_store import CELLS, RunStore
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from pitfalls_tf.experiments.experiment import Experiment
    from pitfalls_tf.experiments.grid_size import GridSize
    from pitfalls_tf.experiments.run_store import GridProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproducedExperiment:
    """The folder of an experiment, and its manifest with the findings."""

    folder: Path
    manifest: dict[str, Any]


def reproduce(
    experiments: Sequence[Experiment],
    out: Path,
    size: GridSize,
    *,
    clock: Callable[[], float],
    progress: Callable[[str, GridProgress], None],
) -> tuple[ReproducedExperiment, ...]:
    """Run each experiment, write its folder OUT/NAME, and write OUT/README.md over all experiments in OUT.

    Finished runs are stored in OUT/.cells by the digest of recipe, rows, seed, code and environment; deleting that
    folder costs nothing but time.

    Args:
        experiments: what to run.
        out: created if needed.
        size: size of the grids.
        clock: seconds, for the estimate of the remaining time.
        progress: called with the experiment's name and its progress.

    Returns:
        One record per experiment, in the order given.

    Raises:
        BadInput: no seeds.
        CannotRun: the folder cannot be written, or another experiment is writing to it.
    """
    done = []
    for experiment in experiments:
        store = RunStore(
            out / CELLS,
            size,
            clock=clock,
            progress=lambda now, name=experiment.name: progress(name, now),  # type: ignore[misc]
        )
        table = experiment.measure(store)
        provenance = ExperimentProvenance(
            command=command_of(experiment, size),
            quick=size.quick,
            seeds=tuple(sorted(set(table["seed"].to_pylist()))),
            runs=_most_runs(table),
            environment=asdict(environment()),
            processor=current_processor(),
            cells=tuple(sorted(store.digests)),
            code=tuple(sorted(store.code)),
        )
        manifest = write_page(experiment, table, provenance, into=out)
        done.append(ReproducedExperiment(folder=out / experiment.name, manifest=manifest))
        write_index(out)
    return tuple(done)


def command_of(experiment: Experiment, size: GridSize) -> str:
    """The command that makes the same results again.

    A part of a figure, such as figure1_tuning, is made together with the rest of it.

    Returns:
        The command line, beginning with `pitfalls reproduce`.
    """
    words = ["pitfalls", "reproduce", experiment.name.split("_")[0]]
    words += [] if size.seeds is None else ["--seeds", str(size.seeds)]
    words += ["--quick"] if size.quick else []
    return " ".join(words)


def _most_runs(table: pa.Table) -> int:
    counts = table.group_by(["setup"]).aggregate([("seed", "count_distinct")])["seed_count_distinct"]
    return int(max(counts.to_pylist()))
