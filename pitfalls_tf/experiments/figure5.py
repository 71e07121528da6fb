"""Figure 5, beyond the paper: what the benchmark hid from each model's owner, and when the monitor said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.architectures.catalogue import TABLES
from pitfalls_tf.experiments import drawing, spread, tasks
from pitfalls_tf.experiments.conventional import recipe
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.gains import mean_gain
from pitfalls_tf.experiments.scores_table import chosen, distinct
from pitfalls_tf.experiments.served_cell import WATCHED, ServedCell
from pitfalls_tf.verdict import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.lab import Lab

    Floats = NDArray[np.float64]

QUICK: Final = ("mlp",)
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
    networks = [name for name in TABLES if not quick or name in QUICK]
    cells = [
        ServedCell(
            setup=name,
            task=task,
            raw=raw,
            recipe=recipe("flights", quick=quick, network=TABLES[name]),
            slices=("origin",),
            timezone=TIMEZONE,
        )
        for name in networks
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
    figure, axes = drawing.sheet(1, 1, height=3.6)
    panel, models = axes[0][0], distinct(table, "setup")
    largest = max(float(values(table, one, "harm").max()) for one in models) * 1.1
    panel.plot([0, largest], [0, largest], color=drawing.GREY, linewidth=0.8, label="all harm before a page")
    panel.plot([0, largest], [0, largest / 2], color=drawing.GREY, linewidth=0.8, linestyle=":", label="half of it")
    for place, model in enumerate(models):
        harm, before, days = (values(table, model, name) for name in ("harm", "before", "days"))
        colour, marker = drawing.COLOURS[place], drawing.MARKERS[place]
        panel.plot(harm, before, linestyle="", color=colour, marker=marker, label=model.replace("_", " "))
        for x, y, day in zip(harm, before, days, strict=True):
            text = "never" if np.isnan(day) else f"day {day:.0f}"
            panel.annotate(text, (x, y), xytext=(5, -2), textcoords="offset points", fontsize=6.5)
    panel.set_xlim(0, largest)
    panel.set_xlabel("harm: excess of the Brier score over the random hold-out, of the months that went worse")
    panel.set_ylabel("part of it before the first page")
    panel.set_title("flights, April to December: each point is a run, with the day of its first page")
    panel.legend(loc="upper left")
    return figure


EXPERIMENT: Final = Experiment(
    name="figure5",
    title="What the benchmark hid, the monitor says",
    caption=(
        "Each point is a run of a model. To the right: harm, the excess of its deployed Brier score over the random"
        " hold-out in the months that went worse than it, which its owner did not see. Upwards: the part of it that had"
        " been done before the monitor's first page, both per flight of the whole deployment. Beside it: the day of the"
        " page, counted from the first of April. Below the dotted line, less than half of the harm was done."
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
