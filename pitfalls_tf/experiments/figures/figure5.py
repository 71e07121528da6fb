"""Figure 5, beyond the paper: harm that the benchmark did not show, and when the monitor paged."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.deployments import LetterDeployment, TableDeployment
from pitfalls_tf.experiments.cells.served_cell import NAMED, WATCHED, MonitorSetting, ServedCell
from pitfalls_tf.experiments.claim import ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment
from pitfalls_tf.experiments.figures.figure2_budget import SAME_TIME
from pitfalls_tf.experiments.figures.figure3 import CONVENTIONAL, MODELS
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import distinct_values, select_rows
from pitfalls_tf.experiments.tasks import letter_stream, source_tasks
from pitfalls_tf.experiments.tasks.task import ALL_ROWS
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.training.setup import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore

    Floats = NDArray[np.float64]

SETUPS: Final = {name.replace(" ", "_"): network for name, network in MODELS.items()}  # names that a server accepts
QUICK: Final = (CONVENTIONAL,)
AUGMENTED: Final = "augmented"
TIMEZONE: Final = "America/New_York"
WITH_FAMILY: Final = MonitorSetting(names="family", drilled=True)

CAUGHT: Final = find_claim("the monitor pages in time")


def _measure(store: RunStore, source: str) -> pa.Table:
    cells = _letter_cells(store) if source == "letters" else _flight_cells(store)
    return store.run(cells, store.size.seed_numbers(full=2 if source == "letters" else 5, quick=2))


def _flight_cells(store: RunStore) -> list[ServedCell]:
    quick = store.size.quick
    task, raw = source_tasks.load("flights", quick=quick), source_tasks.raw_rows("flights", quick=quick)
    return [
        ServedCell(
            setup=name,
            task=task,
            deployment=TableDeployment(raw=raw),
            recipe=recipe("flights", quick=quick, network=SETUPS[name]),
            monitors=(MonitorSetting(slices=("origin",), timezone=TIMEZONE),),
        )
        for name in store.size.choose(full=tuple(SETUPS), quick=QUICK)
    ]


def _letter_cells(store: RunStore) -> list[ServedCell]:
    """Conventional training, and augmented training at the cost of eight."""
    quick = store.size.quick
    task, plain = source_tasks.load("letters", quick=quick), recipe("letters", quick=quick)
    augmented = catalogue.find("image_augmentation").apply(plain, task.training)
    recipes = {CONVENTIONAL: plain, AUGMENTED: replace(augmented, epochs=SAME_TIME * plain.epochs)}
    return [
        ServedCell(
            setup=name,
            task=task,
            deployment=LetterDeployment(stream=letter_stream.stream(quick=quick)),
            recipe=recipes[name],
            monitors=(replace(WITH_FAMILY, drilled=not quick),),
        )
        for name in store.size.choose(full=tuple(recipes), quick=QUICK)
    ]


def values(table: pa.Table, setup: str, metric: str, *, monitor: str = ALL_ROWS) -> Floats:
    """Values of a metric of every run of a model that did not diverge, by seed; NaN where undefined."""
    rows = select_rows(table, setup=setup, split=WATCHED, metric=metric, domain=monitor).sort_by("seed")
    of_runs: Floats = rows["value"].to_numpy(zero_copy_only=False).astype(np.float64)
    return of_runs


def _monitors(table: pa.Table) -> list[str]:
    return distinct_values(select_rows(table, split=WATCHED, metric="paged"), "domain")


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings = []
    for source in distinct_values(table, "source"):
        rows = select_rows(table, source=source)
        models = distinct_values(rows, "setup")
        for monitor in _monitors(rows):
            harm, before, paged = (
                np.concatenate([values(rows, model, name, monitor=monitor) for model in models])
                for name in ("harm", "before", "paged")
            )
            share, of_share = spread.clustered_proportion(before, harm)
            is_main = monitor == ALL_ROWS
            findings.append(
                ClaimFinding(
                    claim=CAUGHT,
                    where=f"{source}, {len(models)} models" if is_main else f"{source}, {monitor}",
                    estimate=share,
                    interval=of_share,
                    note=f"{int(paged.sum())} of {len(harm)} runs paged",
                    rule="both" if is_main else "first",
                    seeds=len(harm),
                )
            )
    return tuple(findings)


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct_values(table, "source"):
        of_source = select_rows(table, source=source)
        for setup, monitor in product(distinct_values(of_source, "setup"), _monitors(of_source)):
            of_setup = select_rows(of_source, setup=setup, split=WATCHED, metric="hidden", domain=monitor)
            columns = {
                name: values(of_source, setup, name, monitor=monitor)
                for name in ("promised", "hidden", "harm", "before", "days")
            }
            for index, seed in enumerate(of_setup.sort_by("seed")["seed"].to_pylist()):
                row = {name: float(column[index]) for name, column in columns.items()}
                rows.append(
                    {
                        "source": source,
                        "model": setup.replace("_", " "),
                        "monitor": "" if monitor == ALL_ROWS else monitor,
                        "seed": seed,
                        "Brier promised": row["promised"],
                        "hidden by the benchmark": row["hidden"],
                        "harm in worse months": row["harm"],
                        "harm before the page": row["before"],
                        "share": row["before"] / row["harm"] if row["harm"] else float("nan"),
                        "days until the page": row["days"],
                    }
                )
    return pa.Table.from_pylist(rows)


def families_table(table: pa.Table) -> pa.Table:
    """Which families of letters the pages name, in the rows that they show."""
    arrivals = set(letter_stream.arrivals())
    rows = []
    of_letters = select_rows(table, source="letters", split=WATCHED)
    for setup in distinct_values(of_letters, "setup"):
        of_setup = select_rows(of_letters, setup=setup)
        named_rows = select_rows(of_setup, metric=f"{NAMED}: {ALL_ROWS}")
        excess_rows = select_rows(of_setup, metric="excess")
        for seed in sorted(set(of_setup["seed"].to_pylist())):
            named = {row["domain"] for row in named_rows.to_pylist() if row["seed"] == seed}
            harm = {
                row["domain"]: max(0.0, row["value"])
                for row in excess_rows.to_pylist()
                if row["seed"] == seed and row["domain"] in arrivals
            }
            total = sum(harm.values())
            rows.append(
                {
                    "model": setup.replace("_", " "),
                    "seed": seed,
                    "families arrived": len(arrivals),
                    "named by pages": len(named & arrivals),
                    "others named": len(named - arrivals),
                    "share of the arrived families' harm": sum(harm[name] for name in named & harm.keys()) / total
                    if total
                    else float("nan"),
                    "most harm": max(harm, key=lambda name: harm[name], default=""),
                }
            )
    return pa.Table.from_pylist(rows)


def scoreboard(table: pa.Table) -> pa.Table:
    """The drill of each model of letters: faults planted in its traffic, and how often the monitor detected them."""
    detected = select_rows(table, source="letters", split=WATCHED, metric="drill detected")
    delays = select_rows(table, source="letters", split=WATCHED, metric="drill delay")
    rows = []
    for fault in distinct_values(detected, "domain"):
        row: dict[str, str] = {"fault (level)": fault}
        for setup in distinct_values(detected, "setup"):
            share, delay = (
                select_rows(part, domain=fault, setup=setup)["value"].to_pylist() for part in (detected, delays)
            )
            when = f", window {delay[0]:g}" if delay and delay[0] is not None else ""
            row[setup.replace("_", " ")] = f"{share[0]:.0%}{when}".replace("%", " %") if share else ""
        rows.append(row)
    return pa.Table.from_pylist(rows)


def _tables(table: pa.Table) -> dict[str, pa.Table]:
    if "letters" not in distinct_values(table, "source"):
        return {}
    return {"Families that the pages name": families_table(table), "The drills' scoreboard, seed 0": scoreboard(table)}


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    groups = [
        (source, setup)
        for source in distinct_values(table, "source")
        for setup in distinct_values(select_rows(table, source=source), "setup")
    ]
    figure, axes = drawing.subplots(1, 3, height=1.6 + 0.42 * len(groups), sharey=True, width_ratios=(1.3, 1, 1))
    score, days, share = axes[0]
    latest = 30.0
    for place, (source, model) in enumerate(groups):
        rows = select_rows(table, source=source)
        promised, hidden, harm, before, day = (
            values(rows, model, name) for name in ("promised", "hidden", "harm", "before", "days")
        )
        latest = max(latest, float(np.nanmax(day, initial=0)))
        heights = place + np.linspace(-0.28, 0.28, len(promised)) * (len(promised) > 1)
        score.hlines(heights, promised, promised + hidden, color=drawing.GREY, linewidth=0.7)
        _dots(score, promised, heights, filled=False)
        _dots(score, promised + hidden, heights)
        _dots(days, day, heights)
        for height in heights[np.isnan(day)]:
            days.text(0.98, height, "never", transform=days.get_yaxis_transform(), ha="right", va="center", fontsize=6)
        _dots(share, np.divide(before, harm, out=np.full(len(harm), np.nan), where=harm > 0), heights)
    score.set_yticks(range(len(groups)), [f"{source}, {model.replace('_', ' ')}" for source, model in groups])
    score.set_ylim(len(groups) - 0.5, -0.5)
    score.set_xlabel("Brier score (smaller is better)")
    score.set_title("open: random hold-out; filled: deployed")
    days.set_xlim(0, latest * 1.15)
    days.set_xlabel("days from the deployment")
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
        " of all rows. Middle: the day of the monitor's first page. Right: the share of the harm before it;"
        " harm is the excess over the random hold-out in the months that are worse. Left of the dotted line, most of"
        " the harm comes after the page."
    ),
    claims=(CAUGHT,),
    sources=("flights", "letters"),
    quick_sources=("flights", "letters"),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    tables=_tables,
    remarks=(
        "Each run is exported, served and monitored in the same way as the model of `pitfalls demo`.",
        (
            "Flights are sent over HTTP in event-time order, up to 256 of one hour per request, labels at their label"
            " time."
        ),
        "The scores are those of the logged predictions. Flights without a label are not sent.",
        "The baseline is the held-out rows of January to March; windows are days, slices are airports.",
        "The rule has no control: a monitor that pages at once passes it, as there is no drill without harm.",
        "In the month of the page, harm counts in proportion to the flights before it.",
        "All runs see the same flights, so their harms are not independent; the intervals are over runs only.",
        "One year cannot separate season from drift.",
        (
            "Letters: 200 a day. In March all are of monospaced families; from April on a family of another kind"
            " arrives every other day, takes two hundredths of the letters, and stays. Labels arrive two days later."
        ),
        (
            "The letters' family is logged with the image, as a scanner's name would be; the model does not use it. A"
            " second monitor of the same log ignores it. Pages name families by the rows that they show."
        ),
        "Augmented: three times the epochs, on augmented letters (figure2_budget).",
    ),
)
