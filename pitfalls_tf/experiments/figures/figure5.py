"""Figure 5, beyond the paper: harm that the benchmark did not show, and when the monitor paged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.served_cell import WATCHED, ServedCell
from pitfalls_tf.experiments.claim import BEYOND, Claim, ClaimFinding
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.figures.figure3 import CONVENTIONAL, MODELS
from pitfalls_tf.experiments.gains import mean_gain
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import distinct_values, select_rows
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.training.conventional import recipe
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore

    Floats = NDArray[np.float64]

SETUPS: Final = {name.replace(" ", "_"): network for name, network in MODELS.items()}  # names that a server accepts
QUICK: Final = (CONVENTIONAL,)
TIMEZONE: Final = "America/New_York"

HIDDEN: Final = Claim(
    name="the benchmark hides harm",
    section="4",
    says="standardised benchmarks disguise what happens in genuine settings",
    quantity="deployed Brier score minus that on the random hold-out, mean over runs of all models",
    above=SMALLEST_DIFFERENCE,
    matters=SMALLEST_DIFFERENCE,
)
CAUGHT: Final = Claim(
    name="the monitor pages in time",
    section=BEYOND,
    says="the monitor pages before most of the harm that the benchmark hid is done",
    quantity="share of the harm done before the first page, all runs and models together",
    below=0.5,
    matters=0.2,
    because=(
        "Harm is the excess over the random hold-out in the months that are worse than it, so that better months"
        " cannot make the share exceed 1. Without a page, all harm counts as before it."
    ),
)


def _measure(store: RunStore, source: str) -> pa.Table:
    quick = store.size.quick
    task, raw = source_tasks.load(source, quick=quick), source_tasks.raw_rows(source, quick=quick)
    names = store.size.choose(full=tuple(SETUPS), quick=QUICK)
    cells = [
        ServedCell(
            setup=name,
            task=task,
            raw=raw,
            recipe=recipe(source, quick=quick, network=SETUPS[name]),
            slices=("origin",),
            timezone=TIMEZONE,
        )
        for name in names
    ]
    return store.run(cells, store.size.seed_numbers(full=5, quick=2))


def values(table: pa.Table, setup: str, metric: str) -> Floats:
    """Values of a metric of every run of a model that did not diverge, by seed; NaN where undefined."""
    rows = select_rows(table, setup=setup, split=WATCHED, metric=metric).sort_by("seed")
    of_runs: Floats = rows["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    return of_runs


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    models = distinct_values(table, "setup")
    hidden, harm, before = (
        np.concatenate([values(table, one, name) for one in models]) for name in ("hidden", "harm", "before")
    )
    estimate, interval = mean_gain(hidden[None, :])
    share, of_share = spread.clustered_proportion(before, harm)
    paged = int(np.concatenate([values(table, one, "paged") for one in models]).sum())
    where = f"flights, {len(models)} models"
    return (
        ClaimFinding(claim=HIDDEN, where=where, estimate=estimate, interval=interval),
        ClaimFinding(
            claim=CAUGHT, where=where, estimate=share, interval=of_share, note=f"{paged} of {len(hidden)} runs paged"
        ),
    )


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for setup in distinct_values(table, "setup"):
        seeds = select_rows(table, setup=setup, split=WATCHED, metric="hidden").sort_by("seed")["seed"].to_pylist()
        for index, seed in enumerate(seeds):
            one = {name: values(table, setup, name)[index] for name in ("promised", "hidden", "harm", "before", "days")}
            rows.append(
                {
                    "model": setup.replace("_", " "),
                    "seed": seed,
                    "Brier promised": float(one["promised"]),
                    "hidden by the benchmark": float(one["hidden"]),
                    "harm in worse months": float(one["harm"]),
                    "harm before the page": float(one["before"]),
                    "share": float(one["before"] / one["harm"]) if one["harm"] else float("nan"),
                    "days until the page": float(one["days"]),
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    models = distinct_values(table, "setup")
    figure, axes = drawing.subplots(1, 3, height=1.6 + 0.42 * len(models), sharey=True, width_ratios=(1.3, 1, 1))
    score, days, share = axes[0]
    for place, model in enumerate(models):
        promised, hidden, harm, before, day = (
            values(table, model, name) for name in ("promised", "hidden", "harm", "before", "days")
        )
        heights = place + np.linspace(-0.28, 0.28, len(promised)) * (len(promised) > 1)
        score.hlines(heights, promised, promised + hidden, color=drawing.GREY, linewidth=0.7)
        _dots(score, promised, heights, filled=False)
        _dots(score, promised + hidden, heights)
        _dots(days, day, heights)
        for height in heights[np.isnan(day)]:
            days.text(0.98, height, "never", transform=days.get_yaxis_transform(), ha="right", va="center", fontsize=6)
        _dots(share, np.divide(before, harm, out=np.full(len(harm), np.nan), where=harm > 0), heights)
    score.set_yticks(range(len(models)), [model.replace("_", " ") for model in models])
    score.set_ylim(len(models) - 0.5, -0.5)
    score.set_xlabel("Brier score (smaller is better)")
    score.set_title("open: random hold-out; filled: deployed")
    days.set_xlim(0, max(30, float(np.nanmax([values(table, one, "days") for one in models], initial=0)) * 1.15))
    days.set_xlabel("days from the first of April")
    days.set_title("the monitor's first page")
    share.axvline(0.5, color=drawing.GREY, linewidth=0.8, linestyle=":")
    share.set_xlim(0, 1.03)
    share.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    share.set_xlabel("share of the harm")
    share.set_title("harm done before the page")
    for panel in axes[0]:
        panel.tick_params(axis="y", length=0)
        panel.set_axisbelow(True)
        panel.grid(axis="x", color="#e3e6e8", linewidth=0.5)
    return figure


def _dots(axes: Axes, places: Floats, heights: Floats, *, filled: bool = True) -> None:
    face = drawing.COLOURS[1] if filled else "white"
    axes.plot(places, heights, linestyle="", marker="o", markersize=3.5, color=drawing.COLOURS[1], markerfacecolor=face)


EXPERIMENT: Final = Experiment(
    name="figure5",
    title="Harm that the benchmark hid, and the monitor's first page",
    caption=(
        "Each row of points is a run of a model. Left: its Brier score on the random hold-out, and in deployment, mean"
        " of April to December. Middle: the day of the monitor's first page. Right: the share of the harm before it;"
        " harm is the excess over the random hold-out in the months that are worse. Left of the dotted line, most of"
        " the harm comes after the page."
    ),
    claims=(HIDDEN, CAUGHT),
    sources=("flights",),
    quick_sources=("flights",),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        "Each run is exported, served and monitored in the same way as the model of `pitfalls demo`.",
        (
            "Flights are sent over HTTP in event-time order, up to 256 of one hour per request, labels at their label"
            " time."
        ),
        "The scores are those of the logged predictions. Flights without a label are not sent.",
        "The baseline is the held-out rows of January to March; windows are days, slices are airports.",
        "In the month of the page, harm counts in proportion to the flights before it.",
        "All runs see the same flights, so their harms are not independent; the intervals are over runs only.",
        "One year cannot separate season from drift.",
    ),
)
