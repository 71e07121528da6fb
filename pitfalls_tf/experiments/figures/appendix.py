"""Appendix A: hyperparameters, predictions of every run, and failure cases with their inputs."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.failure_cell import FailureCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import distinct_values, select_rows
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.training.setup import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore

SHOWN: Final = 8  # images

CHANGED: Final = (
    "The rule on shared failures was changed after a first quick run. It was about errors that every run makes, whose"
    " number falls with the number of runs, and whose jackknife interval did not contain its estimate. Now it is about"
    " pairs of runs, with the same bound."
)
SETTINGS: Final = (
    "The other experiments use these hyperparameters with the changes they name. The settings of every search are in"
    " the scores of figure1_tuning, where a trial's name is its settings."
)
CHURN: Final = find_claim("predictions depend on the seed")
SHARED: Final = find_claim("failures are shared")


def _measure(store: RunStore, source: str) -> pa.Table:
    """Always on the reduced rows of quick runs; a quarter of a million flights are too many for an appendix."""
    quick = store.size.quick
    task = source_tasks.load(source, quick=True)
    cell = FailureCell(setup="conventional", task=task, recipe=recipe(source, quick=quick))
    return store.run([cell], store.size.seed_numbers(full=20, quick=6))


class _Predictions:
    """Predictions for one source, ordered by domain and row.

    Attributes:
        labels: shape [rows].
        predicted: classes, shape [seeds, rows].
        confidence: probability of the predicted class, shape [seeds, rows].
        wrong: errors, shape [seeds, rows].
    """

    def __init__(self, table: pa.Table, source: str) -> None:
        rows = select_rows(table, source=source).sort_by(
            [("seed", "ascending"), ("domain", "ascending"), ("row", "ascending")]
        )
        seeds = len(rows["seed"].unique())
        count = len(rows) // seeds
        self.labels = np.array(rows["truth"].to_pylist()[:count])
        self.places = list(zip(rows["domain"].to_pylist()[:count], rows["row"].to_pylist()[:count], strict=True))
        self.predicted = np.array(rows["predicted"].to_pylist()).reshape(seeds, count)
        self.confidence = rows["confidence"].to_numpy().reshape(seeds, count)

        self.wrong: NDArray[np.bool_] = np.equal(self.predicted, self.labels) ^ True

    @property
    def disagreement(self) -> NDArray[np.float64]:
        """Share of rows that two runs classify differently, shape [seeds, seeds]."""
        return np.array([[float((answers != other).mean()) for other in self.predicted] for answers in self.predicted])

    @property
    def shared_errors(self) -> NDArray[np.float64]:
        """Share of one run's errors that the other also makes, shape [seeds, seeds]; NaN for a run without errors."""
        return np.array(
            [[float(other[wrong].mean()) if wrong.any() else np.nan for other in self.wrong] for wrong in self.wrong]
        )

    def worst(self, count: int) -> NDArray[np.int64]:
        """Rows that every run gets wrong, by decreasing mean confidence."""
        confidence = np.where(self.wrong.all(axis=0), self.confidence.mean(axis=0), -1.0)
        order = np.argsort(-confidence, kind="stable")[:count]
        return order[confidence[order] >= 0]


def _mean_over_pairs(values: NDArray[np.float64], seeds: NDArray[np.float64]) -> float:
    """Mean of values [seeds, seeds] over all pairs of the seeds with these indices."""
    places = seeds.astype(np.int64)
    square = values[np.ix_(places, places)]
    return float(square[~np.eye(len(places), dtype=np.bool_)].mean())


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings = []
    for claim in EXPERIMENT.claims:
        for source in distinct_values(table, "source"):
            answers = _Predictions(table, source)
            pairs = answers.disagreement if claim is CHURN else answers.shared_errors
            estimate, interval = spread.jackknife(
                partial(_mean_over_pairs, pairs), np.arange(len(pairs), dtype=np.float64)
            )
            findings.append(
                ClaimFinding(claim=claim, where=source, estimate=estimate, interval=interval, seeds=len(pairs))
            )
    return tuple(findings)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct_values(table, "source"):
        answers, settings = _Predictions(table, source), recipe(source)
        worst = answers.worst(1)
        case = ""
        if len(worst):
            domain, row = answers.places[worst[0]]
            share = answers.confidence[:, worst[0]].mean()
            predicted = answers.predicted[0, worst[0]]
            case = f"{domain} row {row}: {answers.labels[worst[0]]} predicted as {predicted} at {share:.3f}"
        rows.append(
            {
                "source": source,
                "architecture": str(settings.architecture),
                "optimiser": f"{settings.optimiser.kind}, rate {settings.optimiser.learning_rate:g}",
                "decay": settings.optimiser.weight_decay,
                "batch": settings.batch,
                "epochs (full)": settings.epochs,
                "runs": len(answers.predicted),
                "deployed rows": len(answers.labels),
                "wrong in every run": float(answers.wrong.all(axis=0).mean()),
                "wrong in some": float((answers.wrong.any(axis=0) & ~answers.wrong.all(axis=0)).mean()),
                "most confident failure": case,
            }
        )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings  # they are in the table
    from matplotlib.gridspec import GridSpec  # noqa: PLC0415 - only when a figure is drawn

    sources = distinct_values(table, "source")
    figure, axes = drawing.subplots(2, 1, height=5.8)
    for panel in axes.flat:
        panel.remove()
    grid = GridSpec(2, 1, figure=figure, height_ratios=[3.2, 1])
    upper, lower = grid[0].subgridspec(-(-len(sources) // 2), 2), grid[1].subgridspec(1, SHOWN)
    for place, source in enumerate(sources):
        _draw_counts(figure.add_subplot(upper[divmod(place, 2)]), _Predictions(table, source), source)
    if "digits" in sources:
        answers = _Predictions(table, "digits")
        for place, row in enumerate(answers.worst(SHOWN)):
            _draw_image(figure.add_subplot(lower[0, place]), answers, int(row))
    return figure


def _draw_counts(axes: Any, answers: _Predictions, source: str) -> None:
    runs = len(answers.predicted)
    counts = np.bincount(answers.wrong.sum(axis=0), minlength=runs + 1) / len(answers.labels)
    axes.bar(range(1, runs + 1), counts[1:], color="#c9d3da", edgecolor=drawing.COLOURS[0], linewidth=0.5)
    axes.set(xlabel=f"runs of {runs} that are wrong", ylabel="share of deployed rows")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"{source}: no run wrong {counts[0]:.0%}".replace("%", " %"))


def _draw_image(axes: Any, answers: _Predictions, row: int) -> None:
    domain, place = answers.places[row]
    axes.imshow(_images()[domain][place], cmap="gray_r", vmin=0, vmax=1)
    axes.set_axis_off()
    calls = "/".join(sorted(set(answers.predicted[:, row].tolist())))
    axes.set_title(f"{domain}: {answers.labels[row]}\npredicted {calls}\nat {answers.confidence[:, row].mean():.2f}")


@lru_cache(maxsize=1)
def _images() -> dict[str, NDArray[np.float32]]:
    task = source_tasks.load("digits", quick=True)
    return {part.domain: part.examples.inputs[..., 0] for part in task.parts if part.split == "deployed"}


EXPERIMENT: Final = Experiment(
    name="appendix",
    title="Predictions of every run, failure cases and hyperparameters",
    caption=(
        "Above: how many of the runs, which differ only in the seed, get a deployed row wrong. Below: images that"
        " every run gets wrong, by decreasing confidence, with source, label, predicted classes and their mean"
        " probability."
    ),
    claims=(CHURN, SHARED),
    sources=source_tasks.SOURCES,
    quick_sources=source_tasks.SOURCES,
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(SETTINGS, "A rodent of a species that does not occur in training is wrong in every run.", CHANGED),
)
