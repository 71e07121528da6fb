"""Figure 2, continued, beyond the paper: augmentation and a deep ensemble, at the cost of eight trainings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import gain_finding, mean_gain
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    count_diverged,
    deciding_rows,
    distinct_values,
    score_matrix,
    with_common_seeds,
)
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.training.setup import recipe
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore
    from pitfalls_tf.experiments.tasks.task import Task
    from pitfalls_tf.fitting.recipe import Recipe

    Floats = NDArray[np.float64]

BUDGET: Final = 8  # trainings
SAME_TIME: Final = 3  # times the epochs: an augmented step takes two to two and a half times as long
CONVENTIONAL: Final = "conventional"
LONGER: Final = "eight times the epochs"
AUGMENTED: Final = "augmentation, same time"
AUGMENTED_STEPS: Final = "augmentation, same steps"
ENSEMBLE: Final = "deep ensemble of eight"

AUGMENTS: Final = find_claim("augmentation at equal cost")
COMBINES: Final = find_claim("a deep ensemble at equal cost")
STEADIES: Final = find_claim("a deep ensemble is steadier")


def cells(task: Task, plain: Recipe) -> list[TrainingCell]:
    """Make a cell for each setup."""
    augmented = catalogue.find("image_augmentation").apply(plain, task.training)
    longer = BUDGET * plain.epochs
    return [
        TrainingCell(setup=CONVENTIONAL, task=task, recipe=plain),
        TrainingCell(setup=LONGER, task=task, recipe=replace(plain, epochs=longer)),
        TrainingCell(setup=AUGMENTED, task=task, recipe=replace(augmented, epochs=SAME_TIME * plain.epochs)),
        TrainingCell(setup=AUGMENTED_STEPS, task=task, recipe=replace(augmented, epochs=longer)),
        TrainingCell(setup=ENSEMBLE, task=task, recipe=plain, members=BUDGET),
    ]


def _measure(store: RunStore, source: str) -> pa.Table:
    quick = store.size.quick
    task, plain = source_tasks.load(source, quick=quick), recipe(source, quick=quick)
    return store.run(cells(task, plain), store.size.seed_numbers(full=5, quick=3))


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    del first
    task = source_tasks.load(source, fresh=store.size.fresh_domains)
    return store.run(cells(task, recipe(source)), store.size.fresh_seeds)


def _gains(table: pa.Table, source: str, setup: str, against: str) -> Floats:
    """Gain in deployed Brier score, shape [domains, seeds]; positive is better."""
    deployed = partial(score_matrix, table, source=source, split="deployed", metric="brier")
    scores, other = with_common_seeds(deployed(setup=setup), deployed(setup=against))
    return other.values - scores.values


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    table = deciding_rows(table)
    (source,) = distinct_values(table, "source")
    deployed = partial(score_matrix, table, source=source, split="deployed", metric="brier")
    together, alone = with_common_seeds(deployed(setup=ENSEMBLE), deployed(setup=CONVENTIONAL))
    ratio, of_ratio = spread.jackknife(spread.standard_deviation_ratio, together.by_seed, alone.by_seed)
    return (
        gain_finding(AUGMENTS, source, _gains(table, source, AUGMENTED, LONGER)),
        gain_finding(COMBINES, source, _gains(table, source, ENSEMBLE, LONGER)),
        ClaimFinding(claim=STEADIES, where=source, estimate=ratio, interval=of_ratio, seeds=len(alone.seeds)),
    )


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = deciding_rows(table)
    (source,) = distinct_values(table, "source")
    for setup in distinct_values(table, "setup"):
        held, deployed = (
            score_matrix(table, source=source, setup=setup, split=split, metric="brier").by_seed
            for split in ("random", "deployed")
        )
        error = score_matrix(table, source=source, setup=setup, split="deployed", metric="error").by_seed
        estimate, interval = mean_gain(_gains(table, source, setup, CONVENTIONAL))
        rows.append(
            {
                "setup": setup,
                "runs": len(deployed),
                "diverged": count_diverged(table, source=source, setup=setup)[0],
                "Brier, hold-out": float(held.mean()),
                "Brier, deployed": float(deployed.mean()),
                "error, deployed": float(error.mean()),
                "sd over seeds": spread.standard_deviation(deployed),
                "gain over conventional": estimate if setup != CONVENTIONAL else None,
                "from": interval.low if setup != CONVENTIONAL else None,
                "to": interval.high if setup != CONVENTIONAL else None,
            }
        )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    table = deciding_rows(table)
    (source,) = distinct_values(table, "source")
    names = distinct_values(table, "setup")
    figure, axes = drawing.subplots(2, 1, height=3.8)
    score, gain = axes.flat
    for place, setup in enumerate(names):
        values = np.sort(score_matrix(table, source=source, setup=setup, split="deployed", metric="brier").by_seed)
        spots = len(names) - place + np.linspace(-0.25, 0.25, len(values))
        style = {"color": drawing.COLOURS[place], "marker": drawing.MARKERS[place], "markersize": 2.5}
        score.plot(values, spots, linestyle="", **style)
    score.set_yticks(range(len(names), 0, -1), names)
    score.set_xlabel("deployed Brier score (left is better)")
    score.set_title(f"{source}: each run")
    others = [name for name in names if name != CONVENTIONAL]
    rows = [(name, *mean_gain(_gains(table, source, name, CONVENTIONAL))) for name in others]
    gain.axvspan(-SMALLEST_DIFFERENCE, SMALLEST_DIFFERENCE, color="#e3e6e8", linewidth=0)
    drawing.forest_plot(gain, rows, zero=0.0)
    gain.set_xlabel("gain in deployed Brier score over conventional training (right is better)")
    gain.set_title("mean of families like these, 95 % intervals")
    return figure


EXPERIMENT: Final = Experiment(
    name="figure2_budget",
    title="Augmentation and a deep ensemble at equal training cost",
    caption=(
        "Above: deployed Brier score (mean of domains) of every run. Below: gain over conventional training, in domains"
        " like these. In the grey band a difference is too small to matter. All but conventional training cost eight"
        " trainings."
    ),
    claims=(AUGMENTS, COMBINES, STEADIES),
    sources=("letters",),
    quick_sources=("letters",),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(measure=_measure_fresh, most={"letters": 40}, domains={"letters": FRESH_FAMILIES}),
    remarks=(
        (
            "An augmented step takes two to two and a half times the processor time of a plain one, so augmentation has"
            " three times the epochs at the same time, and eight times at the same number of steps."
        ),
        (
            "Augmentation: rotation up to 12 degrees, scale of each axis up to a factor of 1.22, shear up to .2, shifts"
            " up to a tenth, strokes thicker or thinner by up to .7 of a dilation or erosion by a pixel, and an erased"
            " rectangle in half of the images. Chosen once, from a look at 32 images; not tuned."
        ),
        "An ensemble of eight answers with eight networks; the others with one.",
    ),
)
