"""Appendix A: hyperparameters, every run's answers, and failure cases with their inputs."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import drawing, spread, tasks
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.failure_cell import FailureCell
from pitfalls_tf.experiments.scores_table import chosen, distinct
from pitfalls_tf.training.conventional import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import Lab

SHOWN: Final = 8  # images

CHANGED: Final = (
    "The rule about shared failures was changed after a first quick run: it was about errors that every run makes,"
    " which are fewer the more runs there are, and whose jackknife interval lay beside its estimate. It is about pairs"
    " of runs now, with the same bound."
)
SETTINGS: Final = (
    "Hyperparameters of the other experiments are these, changed as each says; the settings of every search are in the"
    " scores of figure1_tuning, where a trial's name is its settings."
)
CHURN = Claim(
    name="answers depend on the seed",
    section="appendix A",
    says="per-seed runs emphasise the robustness concerns",
    quantity="share of deployed rows that two runs of different seeds classify differently",
    above=0.01,
    because="One answer in a hundred.",
)
SHARED = Claim(
    name="failures are shared",
    section="appendix A",
    says="there are failure cases beside the instability of single runs",
    quantity="share of a run's deployed errors that another run makes too",
    above=0.5,
    because="More than half: then most errors are of the rows, not of the seed.",
)


def _measure(lab: Lab) -> pa.Table:
    """Always on the thinned rows of quick runs: the answers to a quarter of a million flights are no appendix."""
    cells = [
        FailureCell(
            setup="conventional", task=tasks.load(source, quick=True), recipe=recipe(source, quick=lab.scale.quick)
        )
        for source in tasks.SOURCES
    ]
    return lab.run(cells, lab.scale.numbers(full=20, quick=6))


class _Answers:
    """Of one source: truth [rows], and class and confidence [seeds, rows] by each run, ordered by domain and row."""

    def __init__(self, table: pa.Table, source: str) -> None:
        rows = chosen(table, source=source).sort_by(
            [("seed", "ascending"), ("domain", "ascending"), ("row", "ascending")]
        )
        seeds = len(rows["seed"].unique())
        count = len(rows) // seeds
        self.truth = np.array(rows["truth"].to_pylist()[:count])
        self.places = list(zip(rows["domain"].to_pylist()[:count], rows["row"].to_pylist()[:count], strict=True))
        self.said = np.array(rows["predicted"].to_pylist()).reshape(seeds, count)
        self.confidence = rows["confidence"].to_numpy().reshape(seeds, count)

        self.wrong: NDArray[np.bool_] = np.equal(self.said, self.truth) ^ True  # [seeds, rows]

    @property
    def differing(self) -> NDArray[np.float64]:
        """Share of rows that two runs classify differently, [seeds, seeds]."""
        return np.array([[float((one != other).mean()) for other in self.said] for one in self.said])

    @property
    def sharing(self) -> NDArray[np.float64]:
        """Share of the errors of the one run that the other makes too, [seeds, seeds]; NaN for a run without errors."""
        return np.array(
            [[float(other[one].mean()) if one.any() else np.nan for other in self.wrong] for one in self.wrong]
        )

    def worst(self, count: int) -> NDArray[np.int64]:
        """Rows that every run gets wrong, the most confidently first."""
        certain = np.where(self.wrong.all(axis=0), self.confidence.mean(axis=0), -1.0)
        order = np.argsort(-certain, kind="stable")[:count]
        return order[certain[order] >= 0]


def _of_pairs(values: NDArray[np.float64], some: NDArray[np.float64]) -> float:
    """Mean of values [seeds, seeds] over all pairs of some seeds, whose places are given."""
    places = some.astype(np.int64)
    square = values[np.ix_(places, places)]
    return float(square[~np.eye(len(places), dtype=np.bool_)].mean())


def _findings(table: pa.Table) -> tuple[Finding, ...]:
    found = []
    for claim in EXPERIMENT.claims:
        for source in distinct(table, "source"):
            answers = _Answers(table, source)
            pairs = answers.differing if claim is CHURN else answers.sharing
            estimate, interval = spread.jackknife(partial(_of_pairs, pairs), np.arange(len(pairs), dtype=np.float64))
            found.append(Finding(claim=claim, where=source, estimate=estimate, interval=interval))
    return tuple(found)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct(table, "source"):
        answers, settings = _Answers(table, source), recipe(source)
        worst = answers.worst(1)
        case = ""
        if len(worst):
            domain, row = answers.places[worst[0]]
            share = answers.confidence[:, worst[0]].mean()
            said = answers.said[0, worst[0]]
            case = f"{domain} row {row}: {answers.truth[worst[0]]} called {said} at {share:.3f}"
        rows.append(
            {
                "source": source,
                "architecture": str(settings.architecture),
                "optimiser": f"{settings.optimiser.kind}, rate {settings.optimiser.learning_rate:g}",
                "decay": settings.optimiser.weight_decay,
                "batch": settings.batch,
                "epochs (full)": settings.epochs,
                "runs": len(answers.said),
                "deployed rows": len(answers.truth),
                "wrong in every run": float(answers.wrong.all(axis=0).mean()),
                "wrong in some": float((answers.wrong.any(axis=0) & ~answers.wrong.all(axis=0)).mean()),
                "surest failure": case,
            }
        )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[Finding]) -> Figure:
    del findings  # in the table beside it
    from matplotlib.gridspec import GridSpec  # noqa: PLC0415 - only when a figure is drawn

    sources = distinct(table, "source")
    figure, axes = drawing.sheet(2, 1, height=3.9)
    for one in axes.flat:
        one.remove()
    grid = GridSpec(2, 1, figure=figure, height_ratios=[1.6, 1])
    upper, lower = grid[0].subgridspec(1, len(sources)), grid[1].subgridspec(1, SHOWN)
    for place, source in enumerate(sources):
        _draw_counts(figure.add_subplot(upper[0, place]), _Answers(table, source), source)
    if "digits" in sources:
        answers = _Answers(table, "digits")
        for place, row in enumerate(answers.worst(SHOWN)):
            _draw_image(figure.add_subplot(lower[0, place]), answers, int(row))
    return figure


def _draw_counts(axes: Any, answers: _Answers, source: str) -> None:
    runs = len(answers.said)
    counts = np.bincount(answers.wrong.sum(axis=0), minlength=runs + 1) / len(answers.truth)
    axes.bar(range(1, runs + 1), counts[1:], color="#c9d3da", edgecolor=drawing.COLOURS[0], linewidth=0.5)
    axes.set(xlabel=f"runs of {runs} that are wrong", ylabel="share of deployed rows")
    axes.set_title(f"{source}: no run wrong {counts[0]:.0%}".replace("%", " %"))


def _draw_image(axes: Any, answers: _Answers, row: int) -> None:
    domain, place = answers.places[row]
    axes.imshow(_images()[domain][place], cmap="gray_r", vmin=0, vmax=1)
    axes.set_axis_off()
    calls = "/".join(sorted(set(answers.said[:, row].tolist())))
    axes.set_title(f"{domain}: {answers.truth[row]}\ncalled {calls}\nat {answers.confidence[:, row].mean():.2f}")


@lru_cache(maxsize=1)
def _images() -> dict[str, NDArray[np.float32]]:
    task = tasks.load("digits", quick=True)
    return {part.domain: part.examples.inputs[..., 0] for part in task.parts if part.split == "deployed"}


EXPERIMENT: Final = Experiment(
    name="appendix",
    title="Every run's answers, failure cases and hyperparameters",
    caption=(
        "Above: how many of the runs, alike but for their seeds, get a deployed row wrong. Below: images that every run"
        " gets wrong, the surest first: where it is from and its truth, what the runs call it, and their mean"
        " probability for it."
    ),
    claims=(CHURN, SHARED),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        SETTINGS,
        "A rodent of a species that was never seen in training is wrong in every run.",
        CHANGED,
    ),
)
