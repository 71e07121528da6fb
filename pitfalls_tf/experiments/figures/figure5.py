"""Figure 5, beyond the paper: what the benchmark hid from each model's owner, and when the monitor said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import drawing, spread, tasks
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.figures.figure3 import CONVENTIONAL, MODELS
from pitfalls_tf.experiments.gains import mean_gain
from pitfalls_tf.experiments.scores_table import chosen, distinct
from pitfalls_tf.experiments.served_cell import WATCHED, ServedCell
from pitfalls_tf.training.conventional import recipe
from pitfalls_tf.verdicts.verdict import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import Lab

    Floats = NDArray[np.float64]

SETUPS: Final = {name.replace(" ", "_"): network for name, network in MODELS.items()}  # names that a server takes
QUICK: Final = (CONVENTIONAL,)
TIMEZONE: Final = "America/New_York"

HIDDEN: Final = Claim(
    name="the benchmark hides harm",
    section="4",
    says="standardised benchmarks disguise what happens in genuine settings",
    quantity="deployed Brier score less that on the random hold-out, mean over runs of all models",
    above=SMALLEST,
)
CAUGHT: Final = Claim(
    name="the monitor says it",
    section="beyond the paper",
    says="(not said there, asked here) what the benchmark hid, the monitor says before most of the harm is done",
    quantity="share of the harm done before the first page, all runs and models together",
    below=0.5,
    because=(
        "Harm is the excess over the random hold-out of the months that went worse than it, so that no better month"
        " makes a share of more than all. A run without a page has all of its harm before it."
    ),
)


def _measure(lab: Lab) -> pa.Table:
    quick = lab.scale.quick
    task, raw = tasks.load("flights", quick=quick), tasks.raw_rows("flights", quick=quick)
    names = lab.scale.choose(full=tuple(SETUPS), quick=QUICK)
    cells = [
        ServedCell(
            setup=name,
            task=task,
            raw=raw,
            recipe=recipe("flights", quick=quick, network=SETUPS[name]),
            slices=("origin",),
            timezone=TIMEZONE,
        )
        for name in names
    ]
    return lab.run(cells, lab.scale.numbers(full=5, quick=2))


def values(table: pa.Table, setup: str, metric: str) -> Floats:
    """Of every run of a model that did not diverge, in order of seed; NaN where there is none."""
    rows = chosen(table, setup=setup, split=WATCHED, metric=metric).sort_by("seed")
    found: Floats = rows["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    return found


def _findings(table: pa.Table) -> tuple[Finding, ...]:
    models = distinct(table, "setup")
    hidden, harm, before = (
        np.concatenate([values(table, one, name) for one in models]) for name in ("hidden", "harm", "before")
    )
    estimate, interval = mean_gain(hidden[None, :])
    share, around = spread.clustered_share(before, harm)
    paged = int(np.concatenate([values(table, one, "paged") for one in models]).sum())
    where = f"flights, {len(models)} models"
    return (
        Finding(claim=HIDDEN, where=where, estimate=estimate, interval=interval),
        Finding(
            claim=CAUGHT, where=where, estimate=share, interval=around, note=f"{paged} of {len(hidden)} runs paged"
        ),
    )


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for setup in distinct(table, "setup"):
        seeds = chosen(table, setup=setup, split=WATCHED, metric="hidden").sort_by("seed")["seed"].to_pylist()
        for place, seed in enumerate(seeds):
            one = {name: values(table, setup, name)[place] for name in ("promised", "hidden", "harm", "before", "days")}
            rows.append(
                {
                    "model": setup.replace("_", " "),
                    "seed": seed,
                    "Brier promised": float(one["promised"]),
                    "hidden by the benchmark": float(one["hidden"]),
                    "harm in worse months": float(one["harm"]),
                    "of it before the page": float(one["before"]),
                    "share": float(one["before"] / one["harm"]) if one["harm"] else float("nan"),
                    "days until the page": float(one["days"]),
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[Finding]) -> Figure:
    del findings
    models = distinct(table, "setup")
    figure, axes = drawing.sheet(1, 3, height=1.6 + 0.42 * len(models), sharey=True, width_ratios=(1.3, 1, 1))
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
    title="What the benchmark hid, the monitor says",
    caption=(
        "Each row of points is a run of a model. Left: its Brier score on the random hold-out, which its owner was"
        " promised, and deployed, mean of April to December. Middle: the day of the monitor's first page. Right: the"
        " part of the harm done before it; harm is the excess over the promise in the months that went worse. Left of"
        " the dotted line, most of the harm was still to come."
    ),
    claims=(HIDDEN, CAUGHT),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        "Each run is exported, served by a process of its own, and watched, as `pitfalls demo` does with its model.",
        "Flights are sent over HTTP in order of time, up to 256 of an hour in a request, and the labels as they came.",
        "What is scored is what the log says was answered. Flights without a truth are not sent.",
        "The baseline is the held-out rows of January to March; days are judged, with airports as slices.",
        "In the month of the page, harm counts as done in proportion to the flights before it.",
        "The runs see the same flights: their harms are not independent, and the intervals speak of runs alone.",
        "One year cannot tell season from drift.",
    ),
)
