"""Figure 4 (section 4): adaptation from one domain to another, and the gains left under slightly altered conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pitfalls_tf.experiments import spread
from pitfalls_tf.experiments.cells.training_cell import DIVERGED, TrainingCell
from pitfalls_tf.experiments.claim import Claim, ClaimFinding, find_claim
from pitfalls_tf.experiments.experiment import Experiment, FreshRuns
from pitfalls_tf.experiments.gains import gain_finding, mean_gain
from pitfalls_tf.experiments.pages import drawing
from pitfalls_tf.experiments.scores_table import (
    count_diverged,
    deciding_rows,
    distinct_values,
    score_matrix,
    select_rows,
    with_common_seeds,
)
from pitfalls_tf.experiments.tasks import domain_pairs
from pitfalls_tf.experiments.tasks.domain_pairs import PLAIN
from pitfalls_tf.experiments.tasks.letter_tasks import FRESH as FRESH_FAMILIES
from pitfalls_tf.experiments.tasks.letter_tasks import TOGETHER
from pitfalls_tf.experiments.tasks.task import ALL_ROWS
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.training.setup import recipe
from pitfalls_tf.verdicts.verdict import SMALLEST_DIFFERENCE, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import RunStore
    from pitfalls_tf.experiments.tasks.task import Task
    from pitfalls_tf.fitting.recipe import Recipe

    Floats = NDArray[np.float64]

ERM: Final = "erm"
LABELLED: Final = "fine_tuning"  # the only method that uses target labels
PAIRS: Final[Mapping[str, Callable[..., list[Task]]]] = {
    "flights": domain_pairs.flights,
    "digits": domain_pairs.digits,
    "letters": domain_pairs.letters,
}

MINIMAL: Final = find_claim("minimal gains")
BEST: Final = find_claim("the best method gains little")
PRONE: Final = find_claim("prone to failure")
SUBTLE: Final = find_claim("subtle shifts are critical")
REGRESSED: Final = find_claim("gains do not survive")


def grid(tasks: Sequence[Task], base: Recipe) -> list[TrainingCell]:
    """Make cells for ERM and every adaptation method on every pair; consecutive pairs share compiled programs."""
    cells = [TrainingCell(setup=ERM, task=task, recipe=base) for task in tasks]
    for remedy in catalogue.family("adaptation"):
        cells += [
            TrainingCell(setup=remedy.name, task=task, recipe=remedy.apply(base, task.training, task.target))
            for task in tasks
        ]
    return cells


def by_condition(table: pa.Table) -> pa.Table:
    """Turn domain "EWR to JFK, noise" into domain "EWR to JFK" of split "noise"; epochs get their run's domain."""
    domains, splits = table["domain"].to_pylist(), table["split"].to_pylist()
    for place, domain in enumerate(domains):
        if ", " in domain:
            domains[place], splits[place] = domain.split(", ")
    runs = np.cumsum([metric == DIVERGED for metric in table["metric"].to_pylist()]).tolist()
    pairs = {run: domain for run, domain in zip(runs, domains, strict=True) if domain != ALL_ROWS}
    for place, epoch in enumerate(table["epoch"].to_pylist()):
        if epoch is not None:
            domains[place] = pairs[runs[place]]
    table = table.set_column(table.column_names.index("domain"), "domain", pa.array(domains, pa.string()))
    return table.set_column(table.column_names.index("split"), "split", pa.array(splits, pa.string()))


def gains(table: pa.Table, source: str, method: str, condition: str, *, metric: str = "brier") -> Floats:
    """Gain of a method over ERM, shape [pairs, seeds]; positive is better."""
    scores, other = with_common_seeds(
        *(score_matrix(table, source=source, setup=name, split=condition, metric=metric) for name in (method, ERM))
    )
    return other.values - scores.values


def conditions(table: pa.Table, source: str) -> list[str]:
    """Names of the conditions of the scored rows, `plain` first."""
    rows = select_rows(table, source=source).filter(pc.is_null(select_rows(table, source=source)["epoch"]))
    return [split for split in distinct_values(rows, "split") if split not in {"training", "random"}]


def survival(table: pa.Table, source: str) -> tuple[Floats, Floats]:
    """Count gains above `SMALLEST_DIFFERENCE` and those that an alteration removes."""
    gained: Floats = np.zeros(len(_pairs(table, source)))
    lost = gained.copy()
    for method in _methods(table, source):
        if method != LABELLED:
            plain = gains(table, source, method, PLAIN).mean(axis=1) > SMALLEST_DIFFERENCE
            for condition in conditions(table, source)[1:]:
                altered = gains(table, source, method, condition).mean(axis=1) > SMALLEST_DIFFERENCE
                gained += plain
                lost += plain & ~altered
    return gained, lost


def _measure(store: RunStore, source: str) -> pa.Table:
    tasks = PAIRS[source](quick=store.size.quick)
    return by_condition(
        store.run(
            grid(tasks, _base(store, source, tasks)),
            store.size.seed_numbers(full=2 if source == "letters" else 5, quick=2),
        )
    )


def _measure_fresh(store: RunStore, source: str, first: pa.Table) -> pa.Table:
    del first
    targets = store.size.fresh_domains
    tasks = domain_pairs.letters(quick=False, fresh=None if targets is None else TOGETHER * targets)
    return by_condition(store.run(grid(tasks, _base(store, source, tasks)), store.size.fresh_seeds))


def _base(store: RunStore, source: str, tasks: Sequence[Task]) -> Recipe:
    return catalogue.find("batch_norm").apply(recipe(source, quick=store.size.quick), tasks[0].training)


def _findings(table: pa.Table) -> tuple[ClaimFinding, ...]:
    findings = []
    table = deciding_rows(table)
    for source in distinct_values(table, "source"):
        of_method = {
            method: gains(table, source, method, PLAIN) for method in _methods(table, source) if method != LABELLED
        }
        findings.append(gain_finding(MINIMAL, source, _mean_over_methods(list(of_method.values()))))
        best = max(of_method, key=lambda method: float(of_method[method][::2].mean()))
        findings.append(gain_finding(BEST, f"{source}: {best}", of_method[best][1::2]))
        gained, lost = survival(table, source)
        findings.append(_share(REGRESSED, source, lost, gained, "gains"))
        worse = [values.mean(axis=1) < -SMALLEST_DIFFERENCE for values in of_method.values()]
        attempts = np.full(len(worse[0]), float(len(worse)))
        findings.append(_share(PRONE, source, np.sum(worse, axis=0).astype(np.float64), attempts, "attempts"))
        plain, *altered = (
            score_matrix(table, source=source, setup=ERM, split=name, metric="brier").values
            for name in conditions(table, source)
        )
        findings.append(gain_finding(SUBTLE, source, np.mean(altered, axis=0) - plain))
    return tuple(sorted(findings, key=lambda finding: EXPERIMENT.claims.index(finding.claim)))


def _share(claim: Claim, source: str, some: Floats, of: Floats, word: str) -> ClaimFinding:
    """A finding whose quantity is a share over pairs of domains, which are its clusters."""
    share, interval = spread.clustered_proportion(some, of, most=float(of.sum()))
    note = f"{int(some.sum())} of {int(of.sum())} {word}"
    return ClaimFinding(
        claim=claim,
        where=source,
        estimate=share,
        interval=interval,
        note=note,
        domains=int((of > 0).sum()),
        by_seeds=0.0,
    )


def _mean_over_methods(gains_by_method: Sequence[Floats]) -> Floats:
    """Mean over methods of the seeds that all have; every method used the same seeds in order."""
    seeds = min(values.shape[1] for values in gains_by_method)
    means: Floats = np.mean([values[:, :seeds] for values in gains_by_method], axis=0)
    return means


def _methods(table: pa.Table, source: str) -> list[str]:
    return [setup for setup in distinct_values(select_rows(table, source=source), "setup") if setup != ERM]


def _pairs(table: pa.Table, source: str) -> tuple[str, ...]:
    return score_matrix(table, source=source, setup=ERM, split=PLAIN, metric="brier").domains


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    table = deciding_rows(table)
    for source in distinct_values(table, "source"):
        altered = conditions(table, source)[1:]
        for method in _methods(table, source):
            plain = gains(table, source, method, PLAIN)
            estimate, interval = mean_gain(plain)
            gained = plain.mean(axis=1) > SMALLEST_DIFFERENCE
            left = [gains(table, source, method, name).mean(axis=1) > SMALLEST_DIFFERENCE for name in altered]
            rows.append(
                {
                    "source": source,
                    "method": method.replace("_", " ") + (" (50 labels)" if method == LABELLED else ""),
                    "diverged": count_diverged(table, source=source, setup=method)[0],
                    "gain in Brier": estimate,
                    "from": interval.low,
                    "to": interval.high,
                    "verdict": "too few seeds" if np.isnan(interval.low) else outcome_of(interval, SMALLEST_DIFFERENCE),
                    "pairs with a gain": f"{int(gained.sum())} of {len(gained)}",
                    "gains left when altered": f"{int(sum((mask & gained).sum() for mask in left))}"
                    f" of {int(gained.sum()) * len(left)}",
                    "gain in error": float(gains(table, source, method, PLAIN, metric="error").mean()),
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[ClaimFinding]) -> Figure:
    del findings
    table = deciding_rows(table)
    sources = distinct_values(table, "source")
    figure, axes = drawing.panels(len(sources), height=4.6)
    for panel, source in zip(axes, sources, strict=True):
        _panel(panel, table, source)
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3)
    return figure


def _panel(axes: Any, table: pa.Table, source: str) -> None:
    methods, names = _methods(table, source), conditions(table, source)
    axes.axvline(0, color=drawing.GREY, linewidth=0.8)
    axes.axvspan(-SMALLEST_DIFFERENCE, SMALLEST_DIFFERENCE, color="#e3e6e8", linewidth=0, zorder=0)
    for place, condition in enumerate(names):
        for row, method in enumerate(methods):
            values = gains(table, source, method, condition)
            estimate, interval = mean_gain(values)
            height = len(methods) - row - (place - (len(names) - 1) / 2) * 0.16
            by_pair = values.mean(axis=1)
            axes.plot(by_pair, [height] * len(by_pair), "|", color=drawing.COLOURS[place], markersize=4, alpha=0.7)
            axes.plot([interval.low, interval.high], [height, height], color=drawing.COLOURS[place], linewidth=0.9)
            axes.plot(
                [estimate],
                [height],
                marker=drawing.MARKERS[place],
                color=drawing.COLOURS[place],
                markersize=3.5,
                linestyle="",
                label=condition if row == 0 else None,
            )
    largest = max(abs(gains(table, source, method, name).mean(axis=1)).max() for method in methods for name in names)
    axes.set_xlim(-1.25 * largest, 1.25 * largest)  # wider intervals are cut, as the caption says
    axes.set_yticks(range(len(methods), 0, -1), [method.replace("_", " ") for method in methods])
    axes.set_ylim(0.4, len(methods) + 0.6)
    axes.set_xlabel("gain in Brier score over the source only\n(right is better)")
    pairs, seeds = gains(table, source, methods[0], PLAIN).shape
    axes.set_title(f"{source}: {pairs} pairs, {seeds} seeds")


EXPERIMENT: Final = Experiment(
    name="figure4",
    title="Domain adaptation, plain and under slightly altered conditions",
    caption=(
        "Gain in Brier score of each method over training on the source domain only (ERM): mean over ordered pairs of"
        " domains with its 95 % interval, which holds for domains like these and is cut at the frame; ticks are single"
        " pairs. Both sides of a gain are scored on the same rows, altered alike. In the grey band a difference is too"
        " small to matter."
    ),
    claims=(MINIMAL, BEST, REGRESSED, PRONE, SUBTLE),
    sources=tuple(PAIRS),
    quick_sources=tuple(PAIRS),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    fresh=FreshRuns(measure=_measure_fresh, most={"letters": 2}, domains={"letters": FRESH_FAMILIES // TOGETHER}),
    remarks=(
        "Fine-tuning uses 50 target labels and is excluded from both claims; the other methods use none.",
        "No method saw a target row that is scored.",
        "The best method is chosen on every other pair of domains, and its gain is that on the remaining pairs.",
        "Of the alterations of flights, May and September are other months, which can be easier than the target's.",
        "CORAL, MMD and DANN process source and target in one batch, whose statistics they also predict with.",
        "The interval of the share of lost gains assumes independent pairs of domains, although pairs share domains.",
        "All networks, also ERM's, have batch normalisation; without it two of the methods have nothing to adapt.",
        "Flights of all three airports share one encoding, standardised over all of them.",
        "Columns that are constant in the source domain, such as the airport's own, are 0 everywhere.",
        "A domain of letters is four typeface families that arrive together; all tasks train on the same families.",
        "Altered flights: noise of a quarter standard deviation; a tenth of destinations missing; May; September.",
        "Altered images: noise of a quarter standard deviation, blur of .8 pixels, rotation by up to 15 degrees.",
        (
            "Every method has the settings of its publication; it was not tuned here, as there are no target labels to"
            " tune on."
        ),
        "DANN's settings include its paper's optimiser, SGD with a falling rate; the others keep that of ERM.",
        "With Adam, DANN diverged on digits; its own optimiser was added after quick runs and before the full one.",
    ),
)
