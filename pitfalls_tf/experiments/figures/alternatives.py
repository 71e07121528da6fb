"""Section 4: other losses and network sizes. Does any of them robustly improve on the conventional choice?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from scipy.special import stdtrit

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import best_on_benchmark, compare_setups, gain_finding, gain_interval, outcome_text
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    count_diverged,
    deciding_rows,
    distinct_values,
    first_rows,
    score_matrix,
    select_rows,
    with_common_seeds,
)
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.capacity import FACTORS, factor_name
from pitfalls_tf.training.setup import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore
    from pitfalls_tf.experiments.tasks.task import Task
    from pitfalls_tf.fitting.recipe import Recipe

    Floats = NDArray[np.float64]

CROSS_ENTROPY: Final = "cross_entropy"
LOSSES: Final = (
    CROSS_ENTROPY,
    "focal",
    "label_smoothing",
    "generalised_cross_entropy",
    "symmetric_cross_entropy",
    "soft_bootstrapped",
)
DIRECTIONS: Final = ("width", "depth")
SAME: Final = "as it is"
CONVENTIONAL: Final = f"{CROSS_ENTROPY}, {SAME}"

ROBUST: Final = find_claim("no robust improvement")
REMAINING: Final = find_claim("inconsistencies remain")


def grid(task: Task, base: Recipe, *, losses: Sequence[str], sizes: Sequence[str]) -> list[TrainingCell]:
    """Make a cell for each loss at each size."""
    cells = []
    for size in sizes:
        sized = base if size == SAME else catalogue.find(size).apply(base, task.training)
        for loss in losses:
            recipe = sized if loss == CROSS_ENTROPY else catalogue.find(loss).apply(sized, task.training)
            cells.append(TrainingCell(setup=f"{loss}, {size}", task=task, recipe=recipe))
    return cells


def _measure(store: RunStore, source: str) -> pa.Table:
    quick = store.size.quick
    factors = tuple(factor for factor in ((0.25, 4.0) if quick else FACTORS) if factor != 1)
    directions = ("width",) if quick else DIRECTIONS
    sizes = (SAME, *(f"{direction}_{factor_name(factor)}" for direction in directions for factor in factors))
    cells = grid(source_tasks.load(source, quick=quick), recipe(source, quick=quick), losses=LOSSES, sizes=sizes)
    return store.run(cells, store.size.seed_numbers(full=2 if source == "letters" else 10, quick=3))


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    """Conventional training and the alternative that the first runs selected."""
    task, base = source_tasks.load(source, fresh=store.size.fresh_domains), recipe(source)
    loss, size = best_on_benchmark(first, source, CONVENTIONAL).split(", ")
    cells = [
        *grid(task, base, losses=(CROSS_ENTROPY,), sizes=(SAME,)),
        *grid(task, base, losses=(loss,), sizes=(size,)),
    ]
    return store.run(cells, store.size.fresh_seeds)


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    robust, remaining = [], []
    first, rows = first_rows(table), deciding_rows(table)
    for source in distinct_values(table, "source"):
        setup = best_on_benchmark(first, source, CONVENTIONAL)
        where = f"{source}: {setup.replace('_', ' ')}"
        scores, other = with_common_seeds(
            score_matrix(rows, source=source, setup=setup, split="deployed", metric="brier"),
            score_matrix(rows, source=source, setup=CONVENTIONAL, split="deployed", metric="brier"),
        )
        robust.append(gain_finding(ROBUST, where, other.values - scores.values))
        estimate, interval = spread.jackknife(spread.standard_deviation_ratio, scores.by_seed, other.by_seed)
        remaining.append(
            ClaimFinding(claim=REMAINING, where=where, estimate=estimate, interval=interval, seeds=len(scores.seeds))
        )
    return (*robust, *remaining)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = first_rows(table)
    for source in distinct_values(table, "source"):
        for setup in distinct_values(select_rows(table, source=source), "setup"):
            loss, size = setup.split(", ")
            means = {
                f"{split} {metric}": score_matrix(table, source=source, setup=setup, split=split, metric=metric).by_seed
                for split, metric in (("random", "brier"), ("deployed", "brier"), ("deployed", "error"))
            }
            verdict = None if setup == CONVENTIONAL else compare_setups(table, source, setup, CONVENTIONAL)
            estimate, interval = gain_interval(verdict)
            values = means["deployed brier"]
            rows.append(
                {
                    "source": source,
                    "loss": loss.replace("_", " "),
                    "size": _size(size),
                    "runs": len(values),
                    "diverged": count_diverged(table, source=source, setup=setup)[0],
                    "Brier, hold-out": _mean(means["random brier"]),
                    "Brier, deployed": _mean(values),
                    "sd over seeds": spread.standard_deviation(values) if len(values) > 1 else float("nan"),
                    "gain, deployed": estimate,
                    "from": interval.low,
                    "to": interval.high,
                    "verdict": "conventional" if setup == CONVENTIONAL else outcome_text(verdict),
                    "error, deployed": _mean(means["deployed error"]),
                }
            )
    return pa.Table.from_pylist(rows)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _size(size: str) -> str:
    return "x 1" if size == SAME else f"{size.split('_', maxsplit=1)[0]} x {_factor(size):g}"


def _factor(size: str) -> float:
    """Size relative to the conventional one.

    >>> _factor("width_quarter"), _factor("depth_8"), _factor(SAME)
    (0.25, 8.0, 1.0)
    """
    by_name = {factor_name(factor): factor for factor in FACTORS}
    return 1.0 if size == SAME else by_name[size.split("_", 1)[1]]


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    table = first_rows(table)
    sources = distinct_values(table, "source")
    directions = [
        direction
        for direction in DIRECTIONS
        if any(f", {direction}_" in setup for setup in distinct_values(table, "setup"))
    ]
    figure, axes = drawing.subplots(len(sources), len(directions), height=0.6 + 2.5 * len(sources), sharey="row")
    for row, source in zip(axes, sources, strict=True):
        for panel, direction in zip(row, directions, strict=True):
            _panel(panel, table, source, direction)
        row[0].set_ylabel("Brier score, deployed\n(smaller is better)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _panel(axes: Any, table: pa.Table, source: str, direction: str) -> None:
    setups = distinct_values(select_rows(table, source=source), "setup")
    for position, loss in enumerate(LOSSES):
        points = []
        for setup in setups:
            setup_loss, size = setup.split(", ")
            if setup_loss == loss and (size == SAME or size.startswith(direction)):
                values = score_matrix(table, source=source, setup=setup, split="deployed", metric="brier").by_seed
                if len(values):
                    points.append((_factor(size), float(values.mean()), _half_width(values)))
        points.sort()
        factors, means, halves = (np.array(column) for column in zip(*points, strict=True))
        axes.errorbar(
            factors * 2 ** ((position - (len(LOSSES) - 1) / 2) * 0.11),
            means,
            yerr=halves,
            color=drawing.COLOURS[position],
            marker=drawing.MARKERS[position],
            markersize=4,
            capsize=2,
            linewidth=0.8,
            label=loss.replace("_", " "),
        )
    conventional = score_matrix(table, source=source, setup=CONVENTIONAL, split="deployed", metric="brier").by_seed
    axes.axhline(conventional.mean(), color=drawing.GREY, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_xscale("log", base=2)
    ticks = sorted({_factor(setup.split(", ")[1]) for setup in setups if direction in setup} | {1.0})
    axes.set_xticks(ticks, [{0.25: "1/4", 0.5: "1/2"}.get(tick, f"{tick:g}") for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(f"{direction} of the network, relative to conventional")
    axes.set_title(f"{source}: {len(conventional)} seeds")


def _half_width(values: Floats) -> float:
    """Half width of Student's 95 % interval for the mean over seeds; 0 (no bar) for fewer than three."""
    if len(values) < 3:
        return 0.0
    return float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))


EXPERIMENT: Final = Experiment(
    name="alternatives",
    title="Other losses, larger and smaller networks",
    caption=(
        "Deployed Brier score (mean of domains) of every loss at every size: mean over seeds with its 95 % interval."
        " The dotted line is the conventional choice, cross-entropy at the size of section 3. Points of one size are"
        " shifted sideways so that they do not overlap."
    ),
    claims=(ROBUST, REMAINING),
    sources=("flights", "rodents", "letters"),
    quick_sources=("flights", "letters"),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(measure=_measure_fresh, most={"flights": 100, "letters": 200}, domains={"letters": FRESH_FAMILIES}),
    remarks=(
        "Figure and table show first runs of all alternatives; findings are of the one that their hold-out ranks best.",
        "A row's verdict is for deployment domains like these; a bar in the figure covers the seeds only.",
        "Focal, generalised and symmetric cross-entropy do not optimise the calibration that the Brier score rewards.",
        "A quarter and a half of two hidden layers are both one layer: these two rows have the same runs.",
    ),
)
