"""Figure 3 (section 4): the same models on a random hold-out, a blocked hold-out, and each later period."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.architectures.catalogue import IMAGE_NETWORKS, TABLE_NETWORKS
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.experiments.cells.training_cell import TrainingCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import gain_finding
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import deciding_rows, distinct_values, score_matrix, select_rows
from pitfalls_tf.experiments.tasks import letter_tasks, source_tasks
from pitfalls_tf.experiments.tasks.letter_tasks import ARRIVAL
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.training.setup import NETWORKS, recipe
from pitfalls_tf.verdicts.paired import Resampling, interval
from pitfalls_tf.verdicts.verdict import BOOTSTRAP_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from monitoring.baseline.metrics import ConfidenceInterval
    from pitfalls_tf.architectures.catalogue import ImageNetwork, TableNetwork
    from pitfalls_tf.experiments.run_store import RunStore

    Floats = NDArray[np.float64]

SOURCES: Final = ("flights", "rodents", "letters")  # which arrive over time
CONVENTIONAL: Final = "conventional"  # the same runs as figure 1's
MODELS: Final = {
    CONVENTIONAL: TABLE_NETWORKS["mlp"],
    "wide mlp": Mlp(hidden=(256, 128), dropout=0.2),
    "residual mlp": TABLE_NETWORKS["tabular_resnet"],
    "wide and deep": TABLE_NETWORKS["wide_and_deep"],
    "ft transformer": TABLE_NETWORKS["ft_transformer"],
}
QUICK_MODELS: Final = (CONVENTIONAL, "wide mlp", "residual mlp", "wide and deep")
LETTER_MODELS: Final = {
    CONVENTIONAL: NETWORKS["letters"],
    "wide mlp": Mlp(hidden=(256, 128), dropout=0.2),
    "deep mlp": Mlp(hidden=(128, 128, 128, 64)),
    "normalised mlp": Mlp(hidden=(128, 64), norm="batch"),
    "lenet": IMAGE_NETWORKS["lenet"],
}
QUICK_LETTER_MODELS: Final = (CONVENTIONAL, "wide mlp", "deep mlp", "normalised mlp")

BLOCKED: Final = find_claim("random hold-out is optimistic")
DEPLOYED: Final = find_claim("deployment is worse")
ORDER: Final = find_claim("wrong order")


def _measure(store: RunStore, source: str) -> pa.Table:
    return store.run(_cells(store, source), store.size.seed_numbers(full=6 if source == "letters" else 10, quick=6))


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    del first
    return store.run(_cells(store, source), store.size.fresh_seeds)


def _cells(store: RunStore, source: str) -> list[TrainingCell]:
    quick = store.size.quick
    models: Mapping[str, TableNetwork | ImageNetwork] = LETTER_MODELS if source == "letters" else MODELS
    few = QUICK_LETTER_MODELS if source == "letters" else QUICK_MODELS
    periods = store.size.fresh_domains
    task = source_tasks.load(source, quick=quick, fresh=None if periods is None else ARRIVAL * periods)
    return [
        TrainingCell(setup=name, task=task, recipe=recipe(source, quick=quick, network=models[name]))
        for name in store.size.choose(full=tuple(models), quick=few)
    ]


class _PeriodScores:
    """Brier scores of a source.

    Attributes:
        random: on the random hold-out, shape [models, seeds].
        blocked: on the blocked hold-out, shape [models, seeds].
        later: in deployment, shape [models, periods, seeds].
    """

    def __init__(self, table: pa.Table, source: str) -> None:
        self.models = distinct_values(select_rows(table, source=source), "setup")
        matrices = {
            (name, split): score_matrix(table, source=source, setup=name, split=split, metric="brier")
            for name in self.models
            for split in ("random", "blocked", "deployed")
        }
        first = matrices[self.models[0], "deployed"]
        seeds = tuple(seed for seed in first.seeds if all(seed in matrix.seeds for matrix in matrices.values()))
        # A domain of flights is an airport in a month, whose period is the month; one of letters is a family.
        of_domain = [
            letter_tasks.arrival(domain) if source == "letters" else domain.split("/")[-1] for domain in first.domains
        ]
        self.periods = sorted(set(of_domain))
        members = [np.flatnonzero(np.array(of_domain) == period) for period in self.periods]
        self.random, self.blocked = (
            np.array([matrices[name, split].select_seeds(seeds).by_seed for name in self.models])
            for split in ("random", "blocked")
        )
        deployed = [matrices[name, "deployed"].select_seeds(seeds).values for name in self.models]
        self.later = np.array([[values[rows].mean(axis=0) for rows in members] for values in deployed])

    def wrong_order(self) -> Floats:
        """Share of pairs of models ranked differently from the random hold-out, shape [periods, seeds]."""
        pairs = list(combinations(range(len(self.models)), 2))
        orders = [
            np.sign(self.later[first] - self.later[other]) != np.sign(self.random[first] - self.random[other])
            for first, other in pairs
        ]
        shares: Floats = np.mean(orders, axis=0)
        return shares


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings: list[ClaimFinding] = []
    table = deciding_rows(table)
    for claim in EXPERIMENT.claims:
        for source in distinct_values(table, "source"):
            scores = _PeriodScores(table, source)
            values = {
                BLOCKED: scores.blocked - scores.random,
                DEPLOYED: (scores.later - scores.random[:, None]).mean(axis=0),
                ORDER: scores.wrong_order(),
            }[claim]
            findings.append(gain_finding(claim, source, values))
    return tuple(findings)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = deciding_rows(table)
    for source in distinct_values(table, "source"):
        scores = _PeriodScores(table, source)
        for place, name in enumerate(scores.models):
            later = scores.later[place].mean(axis=1)
            rows.append(
                {
                    "source": source,
                    "model": name,
                    "runs": scores.random.shape[1],
                    "random hold-out": float(scores.random[place].mean()),
                    "blocked hold-out": float(scores.blocked[place].mean()),
                    "deployed, mean": float(later.mean()),
                    "best period": f"{scores.periods[int(later.argmin())]}: {later.min():.3f}",
                    "worst period": f"{scores.periods[int(later.argmax())]}: {later.max():.3f}",
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings  # they are in the table
    table = deciding_rows(table)
    sources = distinct_values(table, "source")
    figure, axes = drawing.subplots(len(sources), 2, height=0.7 + 2.4 * len(sources), width_ratios=[1.7, 1])
    scores_of = {source: _PeriodScores(table, source) for source in sources}
    shared = scores_of[sources[0]].models  # the legend over the figure has these; other models have their own
    for row, source in zip(axes, sources, strict=True):
        scores = scores_of[source]
        _draw_scores(row[0], scores)
        if scores.models != shared:
            row[0].legend(loc="lower right", ncols=3, fontsize="small", columnspacing=1, handlelength=1.2)
        row[0].set_title(f"{source}: mean of {scores.random.shape[1]} runs, bars from minimum to maximum")
        _draw_orders(row[1], scores)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return figure


def _draw_scores(axes: Any, scores: _PeriodScores) -> None:
    places = np.arange(len(scores.periods)) + 2
    for number, name in enumerate(scores.models):
        shift = 0.12 * (number - (len(scores.models) - 1) / 2)
        style = {"color": drawing.COLOURS[number], "marker": drawing.MARKERS[number], "markersize": 3, "linewidth": 0.8}
        for place, values in enumerate((scores.random[number], scores.blocked[number])):
            _bar(axes, place + shift, values, style)
        later = scores.later[number]
        axes.plot(places + shift, later.mean(axis=1), label=name, **style)
        axes.vlines(places + shift, later.min(axis=1), later.max(axis=1), color=style["color"], linewidth=0.6)
    axes.axvline(1.5, color=drawing.GREY, linewidth=0.8, linestyle=":")
    _period_ticks(axes, scores, first=2, before=["random", "blocked"])
    axes.set_ylabel("Brier score")


def _bar(axes: Any, place: float, values: Floats, style: dict[str, Any]) -> None:
    axes.plot([place], [values.mean()], **style)
    axes.vlines([place], values.min(), values.max(), color=style["color"], linewidth=0.6)


def _draw_orders(axes: Any, scores: _PeriodScores) -> None:
    shares = scores.wrong_order()
    places = np.arange(len(scores.periods))
    axes.axhline(0.5, color=drawing.GREY, linewidth=0.8, linestyle=":")
    axes.bar(places, shares.mean(axis=1), color="#c9d3da", edgecolor=drawing.COLOURS[0], linewidth=0.5)
    if shares.shape[1] > 1:
        each = [_single_domain_interval(row) for row in shares]
        axes.vlines(
            places,
            [max(0, interval.low) for interval in each],
            [min(1, interval.high) for interval in each],
            color="black",
            lw=0.8,
        )
    _period_ticks(axes, scores, first=0, before=[])
    axes.set(ylim=(0, 1), ylabel="pairs in the wrong order", title="share, 95 % interval; dotted: chance")


def _single_domain_interval(values: Floats) -> ConfidenceInterval:
    return interval(values[None, :], Resampling.draw(1, len(values), np.random.default_rng(BOOTSTRAP_SEED)))


def _period_ticks(axes: Any, scores: _PeriodScores, *, first: int, before: list[str]) -> None:
    every = max(1, len(scores.periods) // 9)
    shown = list(range(0, len(scores.periods), every))
    axes.set_xticks(
        [*range(len(before)), *(first + place for place in shown)],
        [*before, *(scores.periods[place] for place in shown)],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )


EXPERIMENT: Final = Experiment(
    name="figure3",
    title="What a random split hides",
    caption=(
        "Left: Brier score (smaller is better) of the same trained models on rows held out at random, on blocks of days"
        " held out of the same period, and in each later period. Right: share of the pairs of models of one seed that a"
        " later period ranks differently from the random hold-out."
    ),
    claims=(BLOCKED, DEPLOYED, ORDER),
    sources=SOURCES,
    quick_sources=SOURCES,
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(measure=_measure_fresh, most={"letters": 32}, domains={"letters": FRESH_FAMILIES // ARRIVAL}),
    remarks=(
        "Flights are one year: whether April to December differ by season or by drift cannot be decided.",
        (
            "Letters: a period is fifteen families that arrive together, in a random order; the blocked hold-out is the"
            " monospaced families that were left out. Of the fresh periods the first has twelve families and the last"
            " three."
        ),
        "Rodents: species PB first occurs in 1995; no model trained on 1977 to 1983 can predict it.",
        "Consecutive months and years are correlated, so intervals over them tend to be too narrow.",
        (
            "Ten runs of each in the full grid: one FT-Transformer costs as much as 50 other runs on flights, 15 on"
            " rodents."
        ),
    ),
)
