"""Experiments run one after the other into one folder, each continued where it stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pitfalls_tf.experiments.index import write_index
from pitfalls_tf.experiments.page import Made, write
from pitfalls_tf.experiments.processor import processor
from pitfalls_tf.experiments.run_store import CELLS, Lab
from serving.export.manifest import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from pitfalls_tf.experiments.experiment import Experiment, Scale
    from pitfalls_tf.experiments.run_store import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduced:
    """One experiment's folder, and its manifest with the findings."""

    folder: Path
    manifest: dict[str, Any]


def reproduce(
    experiments: Sequence[Experiment],
    out: Path,
    scale: Scale,
    *,
    clock: Callable[[], float],
    progress: Callable[[str, Progress], None],
) -> tuple[Reproduced, ...]:
    """Run each experiment, write its folder OUT/NAME, and the page over all that OUT holds, OUT/README.md.

    Finished runs are kept in OUT/.cells by the digest of recipe, rows, seed, code and environment; deleting that folder
    costs nothing but time.

    Args:
        experiments: what to run.
        out: made if it is not there.
        scale: how large.
        clock: seconds, for the remaining time.
        progress: told of the experiment's name and how far it has come.

    Raises:
        BadInput: no seeds.
        CannotRun: the folder cannot be written, or another experiment is at work in it.
    """
    done = []
    for experiment in experiments:
        lab = Lab(
            out / CELLS,
            scale,
            clock=clock,
            progress=lambda now, name=experiment.name: progress(name, now),  # type: ignore[misc]
        )
        table = experiment.measure(lab)
        made = Made(
            command=command_of(experiment, scale),
            quick=scale.quick,
            seeds=tuple(sorted(set(table["seed"].to_pylist()))),
            runs=_most_runs(table),
            environment=asdict(environment()),
            processor=processor(),
            cells=tuple(sorted(lab.digests)),
            code=tuple(sorted(lab.code)),
        )
        done.append(Reproduced(folder=out / experiment.name, manifest=write(experiment, table, made, into=out)))
        write_index(out)
    return tuple(done)


def command_of(experiment: Experiment, scale: Scale) -> str:
    """The command that makes the same results again.

    A part of a figure, such as figure1_tuning, is made with the whole.
    """
    words = ["pitfalls", "reproduce", experiment.name.split("_")[0]]
    words += [] if scale.seeds is None else ["--seeds", str(scale.seeds)]
    words += ["--quick"] if scale.quick else []
    return " ".join(words)


def _most_runs(table: pa.Table) -> int:
    counts = table.group_by(["setup"]).aggregate([("seed", "count_distinct")])["seed_count_distinct"]
    return int(max(counts.to_pylist()))
