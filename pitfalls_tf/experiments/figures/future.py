"""Section 5, open questions of the paper: does refined processing or domain-aligned training pass the release gate?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import best_on_benchmark, compare_setups, gain_interval, outcome_text
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    count_diverged,
    deciding_rows,
    distinct_values,
    first_rows,
    score_matrix,
    select_rows,
)
from pitfalls_tf.experiments.spread import UNKNOWN
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.remedy import RemedyContext
from pitfalls_tf.training.setup import recipe
from pitfalls_tf.verdicts.gate import ReleaseGate
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.run_store import RunStore
    from pitfalls_tf.experiments.tasks.task import Task
    from pitfalls_tf.fitting.recipe import Recipe
    from pitfalls_tf.remedies.remedy import Remedy
    from pitfalls_tf.verdicts.verdict import Verdict

CONVENTIONAL: Final = "conventional"
STANDARDISED: Final = "standardised"  # the rows of every task are standardised already
QUICK: Final = ("coral_between_sources", "dann_between_sources", "group_dro", "irm", "mixup", "mixup_across_domains")

TACKLED: Final = find_claim("refined processing and aligned training")


def remedied(task: Task, base: Recipe, remedy: Remedy) -> TrainingCell | None:
    """Make a cell of a remedy, which changes the rows of every part alike.

    Returns:
        The cell; None if the remedy does not apply to the rows or the network.
    """
    if remedy.refusal(RemedyContext(recipe=base, training=task.training)) is not None:
        return None
    prepare = remedy.fit_row_transform(base, task.training)
    changed = replace(
        task,
        training=prepare(task.training),
        validation=prepare(task.validation),
        parts=tuple(replace(part, examples=prepare(part.examples)) for part in task.parts),
    )
    return TrainingCell(setup=remedy.name, task=changed, recipe=remedy.apply(base, changed.training))


def gate(verdict: Verdict) -> ReleaseGate:
    """The release gate of a verdict, as read from the output of `pitfalls compare --json`."""
    worst = verdict.worst_domain
    return ReleaseGate(
        setup=verdict.a.setup,
        against=verdict.b.setup,
        fingerprint=verdict.a.fingerprint,
        metric=verdict.metric,
        smallest=verdict.smallest,
        outcome=verdict.outcome,
        worst_domain=worst.domain,
        worst_outcome=worst.verdict.outcome,
        gain=worst.gain,
        low=worst.verdict.interval.low,
        high=worst.verdict.interval.high,
    )


def _measure(store: RunStore, source: str) -> pa.Table:
    quick = store.size.quick
    task, base = source_tasks.load(source, quick=quick), recipe(source, quick=quick)
    wanted = [method for method in _methods() if not quick or method.family == "preprocessing" or method.name in QUICK]
    cells = [TrainingCell(setup=CONVENTIONAL, task=task, recipe=base)]
    cells += [cell for remedy in wanted if (cell := remedied(task, base, remedy)) is not None]
    return store.run(cells, store.size.seed_numbers(full=5 if source == "letters" else 10, quick=4))


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    """Conventional training and the method that the first runs selected."""
    task, base = source_tasks.load(source, fresh=store.size.fresh_domains), recipe(source)
    best = best_on_benchmark(first, source, CONVENTIONAL)
    chosen = remedied(task, base, next(method for method in _methods() if method.name == best))
    cells = [TrainingCell(setup=CONVENTIONAL, task=task, recipe=base), *([] if chosen is None else [chosen])]
    return store.run(cells, store.size.fresh_seeds)


def _methods() -> list[Remedy]:
    refined = (method for method in catalogue.family("preprocessing") if method.name != STANDARDISED)
    return [*refined, *catalogue.family("alignment")]


def _verdicts(table: pa.Table, source: str) -> dict[str, Verdict | None]:
    setups = distinct_values(select_rows(table, source=source), "setup")
    return {setup: compare_setups(table, source, setup, CONVENTIONAL) for setup in setups if setup != CONVENTIONAL}


def _passed(verdict: Verdict | None) -> bool:
    return verdict is not None and gate(verdict).refusal is None


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings = []
    first, rows = first_rows(table), deciding_rows(table)
    for source in distinct_values(table, "source"):
        verdicts = _verdicts(first, source)
        best = best_on_benchmark(first, source, CONVENTIONAL)
        verdict = compare_setups(rows, source, best, CONVENTIONAL)
        worst = None if verdict is None else verdict.worst_domain
        findings.append(
            ClaimFinding(
                claim=TACKLED,
                where=f"{source}: {best.replace('_', ' ')}",
                estimate=float("nan") if worst is None else worst.gain,
                interval=UNKNOWN if worst is None else worst.verdict.interval,
                note=f"{sum(map(_passed, verdicts.values()))} of all {len(verdicts)} methods pass the gate",
                seeds=0 if verdict is None else len(verdict.seeds),
            )
        )
    return tuple(findings)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = first_rows(table)
    for source in distinct_values(table, "source"):
        for setup, verdict in _verdicts(table, source).items():
            estimate, interval = gain_interval(verdict)
            worst = None if verdict is None else verdict.worst_domain
            benchmark = score_matrix(table, source=source, setup=setup, split="random", metric="brier").by_seed
            rows.append(
                {
                    "source": source,
                    "method": setup.replace("_", " "),
                    "diverged": count_diverged(table, source=source, setup=setup)[0],
                    "Brier, hold-out": float(benchmark.mean()) if len(benchmark) else float("nan"),
                    "gain deployed": estimate,
                    "from": interval.low,
                    "to": interval.high,
                    "verdict": outcome_text(verdict),
                    "worst domain": "none" if worst is None else worst.domain,
                    "gain there": float("nan") if worst is None else worst.gain,
                    "there from": float("nan") if worst is None else worst.verdict.interval.low,
                    "there to": float("nan") if worst is None else worst.verdict.interval.high,
                    "gate": "passes" if _passed(verdict) else "refused",
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    table = first_rows(table)
    sources = distinct_values(table, "source")
    figure, axes = drawing.panels(len(sources), height=0.9 + 0.3 * len(_verdicts(table, sources[0])))
    for panel, source in zip(axes, sources, strict=True):
        _panel(panel, table, source)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _panel(axes: Any, table: pa.Table, source: str) -> None:
    verdicts = {setup: verdict for setup, verdict in _verdicts(table, source).items() if verdict is not None}
    axes.axvspan(-SMALLEST_DIFFERENCE, SMALLEST_DIFFERENCE, color="#e3e6e8", linewidth=0, zorder=0)
    axes.axvline(0, color=drawing.GREY, linewidth=0.8)
    for place, verdict in enumerate(verdicts.values()):
        worst = verdict.worst_domain
        shown = (
            ("mean of domains like these", verdict.gain, verdict.overall.interval),
            ("the method's own worst domain", worst.gain, worst.verdict.interval),
        )
        for row, (label, estimate, interval) in enumerate(shown):
            height = len(verdicts) - place + 0.14 - 0.28 * row
            axes.plot([interval.low, interval.high], [height, height], color=drawing.COLOURS[2 * row])
            axes.plot(
                [estimate],
                [height],
                marker=drawing.MARKERS[row],
                color=drawing.COLOURS[2 * row],
                linestyle="",
                markersize=4,
                label=label if place == 0 else None,
            )
    names = [f"{name.replace('_', ' ')}{' (passes)' if _passed(verdict) else ''}" for name, verdict in verdicts.items()]
    axes.set_yticks(range(len(names), 0, -1), names)
    axes.set_ylim(0.4, len(names) + 0.6)
    axes.set_xlabel("gain in deployed Brier score\n(right is better)")
    seeds = {len(verdict.seeds) for verdict in verdicts.values()}
    axes.set_title(f"{source}: {', '.join(map(str, sorted(seeds)))} seeds")


EXPERIMENT: Final = Experiment(
    name="future",
    title="Open questions of the paper: refined processing and domain-aligned training",
    caption=(
        "Gain in deployed Brier score over conventional training on the same labelled domains, with 95 % intervals: in"
        " domains like the deployed ones, and in the domain where the method itself is worst, which the gate uses. In"
        " the grey band a difference is too small to matter."
    ),
    claims=(TACKLED,),
    sources=("flights", "rodents", "letters"),
    quick_sources=("flights", "letters"),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(measure=_measure_fresh, most={"flights": 100, "letters": 200}, domains={"letters": FRESH_FAMILIES}),
    remarks=(
        "Figure and table show first runs of all methods; the finding is of the one that their hold-out ranks best.",
        "The gate requires better in a method's own worst domain and not worse overall; inconclusive is refused.",
        "Methods have the settings of their publications; their training domains are airport and month, or year.",
        (
            "The table has many methods: one that passes was not chosen beforehand, and would have to pass again on new"
            " data."
        ),
    ),
)
