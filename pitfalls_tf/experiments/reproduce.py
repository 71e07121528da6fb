"""Runs experiments one after the other into one folder; each resumes where it stopped."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from pitfalls_tf.experiments.decisions import decide
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.grid_size import GridSize
from pitfalls_tf.experiments.pages.index import write_index
from pitfalls_tf.experiments.pages.page import final_rows, table_digest, write_page
from pitfalls_tf.experiments.pages.plan_text import write_plan_page
from pitfalls_tf.experiments.power_plan import Plan, PlannedSource, make_plan, read_plan, write_plan
from pitfalls_tf.experiments.run_store import CELLS, GridProgress, RunStore
from pitfalls_tf.experiments.scores_table import first_rows
from pitfalls_tf.experiments.stored_results import RunGroup, Stage, StoredResults, empty_results, read_results
from serving.export.manifest import environment

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Processor:
    """Model name of a processor, and the number of threads that the process may use."""

    model: str
    threads: int

    def __str__(self) -> str:
        return f"{self.model}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"


def current_processor(cpuinfo: Path = CPUINFO) -> Processor:
    """The processor that this process runs on.

    Returns:
        The processor; where the file has no model name, the model is the name of the architecture.

    >>> current_processor(Path("no such file")).model == platform.machine()
    True
    """
    model = platform.machine()
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                model = value.strip()
                break
    return Processor(model=model, threads=len(os.sched_getaffinity(0)))


Runs = Literal["first", "fresh", "all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproducedExperiment:
    """The folder of an experiment, and its manifest with the findings."""

    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to run of an experiment.

    Attributes:
        runs: first runs, fresh runs where the folder has a plan of them, all of both, or none: only the pages are
            written again.
        sources: names of sources; None for all. Results of other sources are kept.
    """

    runs: Runs = "all"
    sources: Collection[str] | None = None

    def of(self, names: Sequence[str]) -> tuple[str, ...]:
        """The selected ones of some sources, in their order."""
        return tuple(name for name in names if self.sources is None or name in self.sources)


def reproduce(
    experiments: Sequence[Experiment],
    out: Path,
    size: GridSize,
    *,
    clock: Callable[[], float],
    progress: Callable[[str, GridProgress], None],
    selection: Selection = Selection(),
) -> tuple[ReproducedExperiment, ...]:
    """Run each experiment, write its folder OUT/NAME, and write OUT/README.md over all experiments in OUT.

    Finished runs are stored in OUT/.cells by the digest of recipe, rows, seed, code and environment; deleting that
    folder costs nothing but time. Results of sources and stages that are not selected are kept.

    Args:
        clock: seconds, for the estimate of the remaining time.
    """
    plans = read_plan(out)
    done = []
    for experiment in experiments:
        maker = _RunMaker(experiment, out, size, clock=clock, progress=progress)
        plan = {} if size.quick else plans.get(experiment.name, {})
        results = maker.make(plan, selection)
        if results is None:
            continue
        manifest = write_page(experiment, results, decide(experiment, results, plan), plan, into=out)
        done.append(ReproducedExperiment(folder=out / experiment.name, manifest=manifest))
        write_index(out)
    return tuple(done)


def plan_experiments(experiments: Sequence[Experiment], out: Path) -> dict[str, Plan]:
    """Plan the fresh runs of experiments from the first runs in a folder; write plan.json and PLAN.md there.

    The plan of a source whose fresh runs are there stays as it is.

    Returns:
        Plans by experiment; experiments without results have none.
    """
    plans = read_plan(out)
    for experiment in experiments:
        results = read_results(out / experiment.name)
        if results is not None:
            carried_out = {source for group in results.groups if group.stage == "fresh" for source in group.sources}
            before = plans.get(experiment.name, {})
            plans[experiment.name] = {
                source: before[source] if source in carried_out & before.keys() else replace(planned, planned=_now())
                for source, planned in make_plan(experiment, results.table).items()
            }
    write_plan(plans, out)
    write_plan_page(plans, out)
    return plans


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def measure_group(
    experiment: Experiment, store: RunStore, source: str, stage: Stage, first: pa.Table | None
) -> pa.Table:
    """Make the rows of a source: of its first runs, or of its fresh ones."""
    if stage == "first" or experiment.fresh is None:
        return experiment.measure(store, source)
    rows = experiment.fresh.measure(store, source, first)
    return rows if experiment.fresh.with_epochs else final_rows(rows)


class _RunMaker:
    """Makes the runs of an experiment that are selected, and keeps the others."""

    def __init__(
        self,
        experiment: Experiment,
        out: Path,
        size: GridSize,
        *,
        clock: Callable[[], float],
        progress: Callable[[str, GridProgress], None],
    ) -> None:
        self._experiment, self._out, self._size = experiment, out, size
        self._clock, self._progress = clock, progress
        self._order = experiment.quick_sources if size.quick else experiment.sources

    def make(self, plan: Plan, selection: Selection) -> StoredResults | None:
        """The results, with new rows where they are selected; None if there are none."""
        whole = selection.sources is None and selection.runs in {"all", "first"}
        results = None if self._size.quick or whole else read_results(self._out / self._experiment.name)
        if selection.runs in {"all", "first"}:
            for source in selection.of(self._order):
                results = self._with(results, source, "first", self._size)
        if selection.runs in {"all", "fresh"}:
            for source in selection.of(self._order):
                if source in plan and plan[source].looks and results is not None:
                    results = self._sequentially(results, plan, plan[source])
        return results

    def _sequentially(self, results: StoredResults, plan: Plan, planned: PlannedSource) -> StoredResults:
        """Add runs until the claims of a source are decided, or the last look of the plan is reached."""
        for look in planned.looks:
            size = replace(self._size, seeds=look, fresh_domains=planned.domains)
            results = self._with(results, planned.source, "fresh", size, planned.digest)
            decisions = decide(self._experiment, results, plan)
            findings = [
                finding for decision in decisions for finding in decision.findings if finding.source == planned.source
            ]
            if all(finding.verdict != "inconclusive" or not finding.by_seeds > 0 for finding in findings):
                break  # what is left needs domains
        return results

    def _with(
        self, results: StoredResults | None, source: str, stage: Stage, size: GridSize, plan: str | None = None
    ) -> StoredResults:
        name, made = self._experiment.name, _now()
        store = RunStore(
            self._out / CELLS, size, clock=self._clock, progress=lambda now: self._progress(f"{name}, {source}", now)
        )
        first = None if results is None else first_rows(results.table)
        rows = measure_group(self._experiment, store, source, stage, first)
        group = RunGroup(
            sources=(source,),
            stage=stage,
            command=command_of(self._experiment, size, source=source, stage=stage),
            quick=size.quick,
            seeds=size.seeds,
            fresh_domains=size.fresh_domains,
            environment=asdict(environment()),
            processor=asdict(current_processor()),
            cells=tuple(sorted(store.digests)),
            code=tuple(sorted(store.code)),
            table_digest=table_digest(rows),
            hours=None if math.isnan(store.seconds) else round(store.seconds / 3600, 3),
            made=made,
            plan=plan,
        )
        return (empty_results(rows) if results is None else results).replaced(group, rows, self._order)


def command_of(experiment: Experiment, size: GridSize, *, source: str, stage: Stage) -> str:
    """The command that makes the same results again.

    A part of a figure, such as figure1_tuning, is made together with the rest of it.
    """
    words = ["pitfalls", "reproduce", experiment.name.split("_")[0]]
    words += [] if size.seeds is None or stage == "fresh" else ["--seeds", str(size.seeds)]
    words += ["--quick"] if size.quick else []
    words += [] if size.quick else ["--source", source, "--runs", stage]
    return " ".join(words)
