"""Figure 1 (sections 3 and 4): nothing changes but the seed. How far apart are the runs, and who is best where?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import drawing, spread, tasks
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.scores_table import Block, block, curves, distinct, diverged, paired
from pitfalls_tf.experiments.training_cell import TrainingCell
from pitfalls_tf.training.conventional import recipe
from pitfalls_tf.verdicts.verdict import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import Lab

    Floats = NDArray[np.float64]

SETUP: Final = "conventional"
BETTER_BY: Final = 0.01  # of its best value: a smaller improvement of the validation log-loss is none
EARLY: Final = 2 / 3  # of the epochs

MORE_RUNS: Final = (
    "A quick run has 10 runs since a first one with 6 decided little: a number chosen after looking, which makes the"
    " quick verdicts less sure than their intervals say."
)

APART = Claim(
    name="inconsistent runs",
    section="3",
    says="despite recommended practices, performance remained inconsistent across runs",
    quantity="mean distance between the deployed Brier scores of two runs that differ in the seed alone",
    above=SMALLEST,
    because=f"{SMALLEST} is the smallest difference that matters in every verdict here.",
)
WIDER = Claim(
    name="deployment is less stable",
    section="1",
    says="fluctuating performance metrics undermine in practice what benchmarks promise",
    quantity="standard deviation over seeds of the deployed Brier score, as a multiple of that on the random hold-out",
    above=1.0,
)
RANKS = Claim(
    name="the best run changes",
    section="4",
    says="benchmarks disguise what happens in genuine settings: the run that looks best there is not the best deployed",
    quantity="rank correlation (Kendall's tau) of the runs' Brier scores on the random hold-out and deployed",
    below=0.5,
    because="At .5, the benchmark orders one pair of runs in four wrongly.",
)
PLATEAU = Claim(
    name="plateaus",
    section="abstract",
    says="training reaches performance plateaus that do not resolve",
    quantity="share of runs whose validation log-loss improves by no more than 1 % after two thirds of the epochs",
    above=0.5,
    because="More than half of the runs, then.",
)


def _measure(lab: Lab) -> pa.Table:
    seeds = lab.scale.numbers(full=20, quick=10)
    return lab.run(
        [
            TrainingCell(
                setup=SETUP,
                task=tasks.load(source, quick=lab.scale.quick),
                recipe=recipe(source, quick=lab.scale.quick),
            )
            for source in tasks.SOURCES
        ],
        seeds,
    )


def _brier(table: pa.Table, source: str) -> tuple[Floats, Floats]:
    """Brier scores of each seed on the random hold-out and, meaned over domains, deployed."""
    one, other = _blocks(table, source)
    return one.by_seed, other.by_seed


def _blocks(table: pa.Table, source: str) -> tuple[Block, Block]:
    return paired(
        block(table, source=source, setup=SETUP, split="random", metric="brier"),
        block(table, source=source, setup=SETUP, split="deployed", metric="brier"),
    )


def plateaued(curve: Floats) -> bool:
    """Whether the best value after two thirds of the epochs is hardly better than the best before.

    >>> plateaued(np.array([1.0, 0.5, 0.4, 0.4, 0.4, 0.399])), plateaued(np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5]))
    (True, False)
    """
    cut = max(1, int(len(curve) * EARLY))
    if len(curve) <= cut or not np.isfinite(curve).all():
        return False
    before, after = float(curve[:cut].min()), float(curve[cut:].min())
    return after >= before * (1 - BETTER_BY)


def _findings(table: pa.Table) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for source in distinct(table, "source"):
        benchmark, deployed = _brier(table, source)
        lines = list(curves(table, source=source, setup=SETUP, metric="validation_log_loss").values())
        measured = (
            (APART, spread.jackknife(spread.apart, deployed)),
            (WIDER, spread.jackknife(spread.deviation_ratio, deployed, benchmark)),
            (RANKS, spread.kendall(benchmark, deployed)),
            (PLATEAU, spread.share(sum(map(plateaued, lines)), len(lines))),
        )
        found += [
            Finding(claim=claim, where=source, estimate=estimate, interval=interval)
            for claim, (estimate, interval) in measured
        ]
    return tuple(sorted(found, key=lambda one: EXPERIMENT.claims.index(one.claim)))


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct(table, "source"):
        for split, values in zip(("random", "deployed"), _brier(table, source), strict=True):
            rows.append(
                {
                    "source": source,
                    "scored on": "random hold-out" if split == "random" else "deployment, mean of domains",
                    "runs": len(values),
                    "diverged": diverged(table, source=source, setup=SETUP)[0],
                    "median Brier": float(np.median(values)),
                    "sd": spread.deviation(values) if len(values) > 1 else float("nan"),
                    "worst": float(values.max()),
                    "worst - median": spread.worst_minus_median(values),
                    "worst seed": _blocks(table, source)[0].seeds[int(np.argmax(values))],
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[Finding]) -> Figure:
    sources = distinct(table, "source")
    figure, axes = drawing.sheet(len(sources), 3, height=2.1 * len(sources))
    for row, source in zip(axes, sources, strict=True):
        benchmark, deployed = _brier(table, source)
        worst = int(np.argmax(deployed))
        lines = curves(table, source=source, setup=SETUP, metric="validation_log_loss")
        _draw_curves(row[0], lines, _blocks(table, source)[1].seeds[worst])
        row[0].set_title(f"{source}: {len(deployed)} runs")
        _draw_scores(row[1], benchmark, deployed, worst)
        _draw_ranks(row[2], benchmark, deployed)
        for finding in findings:
            if finding.claim is RANKS and finding.where == source:
                low, high = finding.interval.low, finding.interval.high
                row[2].set_title(f"tau {finding.estimate:.2f} ({low:.2f} to {high:.2f})")
    return figure


def _draw_curves(axes: Any, lines: dict[int, Floats], worst: int) -> None:
    for seed in sorted(lines, key=lambda seed: seed == worst):  # the worst on top
        look: dict[str, Any] = {"color": drawing.GREY, "linewidth": 0.6}
        if seed == worst:
            look = {"color": drawing.COLOURS[2], "linestyle": "--", "label": "worst run deployed"}
        axes.plot(np.arange(1, len(lines[seed]) + 1), lines[seed], **look)
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
    title="The same training with other seeds",
    caption=(
        "Left: validation log-loss of every run; the run that is worst deployed is dashed. Middle: Brier score of each"
        " run on the random hold-out and in deployment (mean of its domains), with mean and standard deviation beside."
        " Right: the runs' ranks; on the line, the benchmark ranks as deployment does. Smaller is better everywhere."
    ),
    claims=(APART, WIDER, RANKS, PLATEAU),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        "The Brier score is half the squared distance of the probabilities to the truth, from 0 to 1.",
        "The deployed score of a run is the mean over many domains, which evens out luck in any one of them.",
        MORE_RUNS,
    ),
)
