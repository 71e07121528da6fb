"""Figure 1 (sections 3 and 4): only the seed changes. How much do runs differ, and does the benchmark rank them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    ScoreMatrix,
    count_diverged,
    deciding_rows,
    distinct_values,
    epoch_curves,
    score_matrix,
    with_common_seeds,
)
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.training.setup import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore

    Floats = NDArray[np.float64]

SETUP: Final = "conventional"
BETTER_BY: Final = 0.01  # of the best value: a smaller improvement of the validation log-loss does not count
EARLY: Final = 2 / 3  # of the epochs

APART: Final = find_claim("inconsistent runs")
WIDER: Final = find_claim("deployment is less stable")
RANKS: Final = find_claim("the best run changes")
PLATEAU: Final = find_claim("plateaus")
CONVERGENCE: Final = find_claim("unpredictable convergence")


def _measure(store: RunStore, source: str) -> pa.Table:
    quick = store.size.quick
    cell = TrainingCell(setup=SETUP, task=source_tasks.load(source, quick=quick), recipe=recipe(source, quick=quick))
    return store.run([cell], store.size.seed_numbers(full=20, quick=10))


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    del first
    task = source_tasks.load(source, fresh=store.size.fresh_domains)
    return store.run([TrainingCell(setup=SETUP, task=task, recipe=recipe(source))], store.size.fresh_seeds)


def _brier(table: pa.Table, source: str) -> tuple[Floats, Floats]:
    """Brier score of each seed on the random hold-out and in deployment (mean of domains)."""
    benchmark, deployed = _matrices(table, source)
    return benchmark.by_seed, deployed.by_seed


def _matrices(table: pa.Table, source: str) -> tuple[ScoreMatrix, ScoreMatrix]:
    return with_common_seeds(
        score_matrix(table, source=source, setup=SETUP, split="random", metric="brier"),
        score_matrix(table, source=source, setup=SETUP, split="deployed", metric="brier"),
    )


def plateaued(curve: Floats) -> bool:
    """Whether the best value after two thirds of the epochs is at most 1 % better than the best before.

    Returns:
        False for a curve that diverged, or of a single epoch.

    >>> plateaued(np.array([1.0, 0.5, 0.4, 0.4, 0.4, 0.399])), plateaued(np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5]))
    (True, False)
    """
    cut = max(1, int(len(curve) * EARLY))
    if len(curve) <= cut or not np.isfinite(curve).all():
        return False
    before, after = float(curve[:cut].min()), float(curve[cut:].min())
    return after >= before * (1 - BETTER_BY)


def best_epochs(curves: Sequence[Floats]) -> Floats:
    """The epoch with the smallest value of every curve, as a share of all epochs.

    >>> best_epochs([np.array([1.0, 0.5, 0.4, 0.6])])
    array([0.75])
    """
    return np.array([(np.argmin(curve) + 1) / len(curve) for curve in curves])


def _relative_deviations(deployed: Floats, benchmark: Floats) -> float:
    """Ratio of the standard deviations, each relative to its mean."""
    return spread.standard_deviation_ratio(deployed / deployed.mean(), benchmark / benchmark.mean())


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings: list[ClaimFinding] = []
    table = deciding_rows(table)
    for source in distinct_values(table, "source"):
        benchmark, deployed = _brier(table, source)
        curves = list(epoch_curves(table, source=source, setup=SETUP, metric="validation_log_loss").values())
        measured = (
            (APART, spread.jackknife(spread.mean_difference, deployed)),
            (WIDER, spread.jackknife(spread.standard_deviation_ratio, deployed, benchmark)),
            (RANKS, spread.kendall_tau(benchmark, deployed)),
            (PLATEAU, spread.proportion(sum(map(plateaued, curves)), len(curves))),
            (CONVERGENCE, spread.jackknife(spread.mean_difference, best_epochs(curves))),
        )
        findings += [
            ClaimFinding(claim=claim, where=source, estimate=estimate, interval=interval, seeds=len(deployed))
            for claim, (estimate, interval) in measured
        ]
        ratio, of_ratio = spread.jackknife(_relative_deviations, deployed, benchmark)
        findings.append(
            ClaimFinding(
                claim=WIDER,
                where=f"{source}, relative to the mean",
                estimate=ratio,
                interval=of_ratio,
                rule="current",
                seeds=len(deployed),
            )
        )
    return tuple(sorted(findings, key=lambda finding: EXPERIMENT.claims.index(finding.claim)))


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = deciding_rows(table)
    for source in distinct_values(table, "source"):
        for split, values in zip(("random", "deployed"), _brier(table, source), strict=True):
            rows.append(
                {
                    "source": source,
                    "scored on": "random hold-out" if split == "random" else "deployment, mean of domains",
                    "runs": len(values),
                    "diverged": count_diverged(table, source=source, setup=SETUP)[0],
                    "median Brier": float(np.median(values)),
                    "sd": spread.standard_deviation(values) if len(values) > 1 else float("nan"),
                    "worst": float(values.max()),
                    "worst - median": spread.worst_minus_median(values),
                    "worst seed": _matrices(table, source)[0].seeds[int(np.argmax(values))],
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    table = deciding_rows(table)
    sources = distinct_values(table, "source")
    figure, axes = drawing.subplots(len(sources), 3, height=2.1 * len(sources))
    for row, source in zip(axes, sources, strict=True):
        benchmark, deployed = _brier(table, source)
        worst = int(np.argmax(deployed))
        curves = epoch_curves(table, source=source, setup=SETUP, metric="validation_log_loss")
        _draw_curves(row[0], curves, _matrices(table, source)[1].seeds[worst])
        row[0].set_title(f"{source}: {len(deployed)} runs")
        _draw_scores(row[1], benchmark, deployed, worst)
        _draw_ranks(row[2], benchmark, deployed)
        for finding in findings:
            if finding.claim is RANKS and finding.where == source:
                low, high = finding.interval.low, finding.interval.high
                row[2].set_title(f"tau {finding.estimate:.2f} ({low:.2f} to {high:.2f})")
    return figure


def _draw_curves(axes: Any, curves: dict[int, Floats], worst: int) -> None:
    for seed in sorted(curves, key=lambda seed: seed == worst):  # the worst on top
        style: dict[str, Any] = {"color": drawing.GREY, "linewidth": 0.6}
        if seed == worst:
            style = {"color": drawing.COLOURS[2], "linestyle": "--", "label": "worst run in deployment"}
        axes.plot(np.arange(1, len(curves[seed]) + 1), curves[seed], **style)
    axes.set(xlabel="epoch", ylabel="validation log-loss (nats)")
    axes.locator_params(axis="x", integer=True)
    axes.legend(loc="upper right")


def _draw_scores(axes: Any, benchmark: Floats, deployed: Floats, worst: int) -> None:
    for place, pair in enumerate(zip(benchmark, deployed, strict=True)):
        colour = drawing.COLOURS[2] if place == worst else drawing.GREY
        axes.plot(
            [0, 1], pair, color=colour, linestyle="--" if place == worst else "-", linewidth=0.6, marker="o", ms=2
        )
    for place, values in enumerate((benchmark, deployed)):
        offset = -0.12 if place == 0 else 0.12
        axes.errorbar(
            [place + offset],
            [values.mean()],
            yerr=[values.std(ddof=1)] if len(values) > 1 else None,
            color=drawing.COLOURS[0],
            marker="D",
            markersize=3.5,
            capsize=2,
        )
    axes.set_xlim(-0.35, 1.35)
    axes.set_xticks([0, 1], ["random\nhold-out", "deployed"])
    axes.set_ylabel("Brier score")
    axes.set_title("mean and sd over runs (black)")


def _draw_ranks(axes: Any, benchmark: Floats, deployed: Floats) -> None:
    first, second = (np.argsort(np.argsort(values)) + 1 for values in (benchmark, deployed))
    axes.plot([1, len(first)], [1, len(first)], color=drawing.GREY, linewidth=0.6)
    axes.plot(first, second, linestyle="", marker="o", color=drawing.COLOURS[1], markersize=3.5)
    axes.set(xlabel="rank, random hold-out (1: best)", ylabel="rank deployed")


EXPERIMENT: Final = Experiment(
    name="figure1",
    title="The same training with different seeds",
    caption=(
        "Left: validation log-loss of every run; the run that is worst in deployment is dashed. Middle: Brier score of"
        " each run on the random hold-out and in deployment (mean of domains), with mean and standard deviation."
        " Right: ranks of the runs; on the line, benchmark and deployment agree. Smaller is better everywhere."
    ),
    claims=(APART, WIDER, RANKS, PLATEAU, CONVERGENCE),
    sources=source_tasks.SOURCES,
    quick_sources=source_tasks.SOURCES,
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(
        measure=_measure_fresh,
        most={"flights": 400, "rodents": 400, "letters": 400},
        domains={"letters": FRESH_FAMILIES},
        with_epochs=True,
    ),
    remarks=(
        "The Brier score here is half the squared distance between probabilities and one-hot label, from 0 to 1.",
        "The deployed score of a run is a mean over many domains, which averages out chance in a single one.",
        "Plateaus and best epochs depend on the number of epochs, which is conventional and stops before convergence.",
    ),
)
