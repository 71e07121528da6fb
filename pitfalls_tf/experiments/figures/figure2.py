"""Figure 2 (section 3): attempted fixes for unstable training, each alone and the best pair, against none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.experiments import drawing, spread, tasks
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.scores_table import block, chosen, distinct, diverged, paired
from pitfalls_tf.experiments.training_cell import TrainingCell
from pitfalls_tf.remedies.remedy import Remedy, Situation
from pitfalls_tf.remedies.stabilisers import STABILISERS, pairs
from pitfalls_tf.training.conventional import recipe
from pitfalls_tf.verdicts.paired import Resampling, interval
from pitfalls_tf.verdicts.verdict import SEED, SMALLEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from pitfalls_tf.experiments.run_store import Lab
    from pitfalls_tf.experiments.scores_table import Block

NONE: Final = "conventional"  # the same runs as figure 1's
RESOLVED: Final = 0.25

REMAINS = Claim(
    name="instability remains",
    section="3, fig. 2",
    says="several attempted fixes only partially resolved training instabilities",
    quantity="standard deviation over seeds of the deployed Brier score with the fix, as a multiple of that without",
    above=RESOLVED,
    because="A quarter of it left counts as resolved.",
)
HELPS = Claim(
    name="fixes help in part",
    section="3, fig. 2",
    says="the fixes resolved some of the instability",
    quantity="standard deviation over seeds of the deployed Brier score, with the fix in proportion to without it",
    below=1.0,
)
NO_GAIN = Claim(
    name="no better in deployment",
    section="3",
    says="recommended remedies do not make the deployed model better",
    quantity="gain in deployed Brier score by the fix, of domains like these (positive is better)",
    below=SMALLEST,
    because=f"{SMALLEST} is the smallest difference that matters.",
)


def _measure(lab: Lab) -> pa.Table:
    seeds = lab.scale.numbers(full=20, quick=6)
    sources = lab.scale.choose(full=tasks.SOURCES, quick=("flights", "rodents"))
    parts = []
    for source in sources:
        task = tasks.load(source, quick=lab.scale.quick)
        plain = recipe(source, quick=lab.scale.quick)
        situation = Situation(recipe=plain, training=task.training)
        fixes = [one for one in STABILISERS if one.refusal(situation) is None]
        cells = [_cell(one, situation, task) for one in fixes]
        alone = lab.run([TrainingCell(setup=NONE, task=task, recipe=plain), *cells], seeds)
        parts.append(alone)
        pair = _best_pair(alone, source, situation)
        if pair is not None:
            parts.append(lab.run([_cell(pair, situation, task)], seeds))
    return pa.concat_tables(parts)


def _cell(remedy: Remedy, situation: Situation, task: tasks.Task) -> TrainingCell:
    changed = remedy.applied(situation.recipe, situation.training)
    return TrainingCell(setup=remedy.name, task=task, recipe=changed, members=remedy.seeds)


def _best_pair(table: pa.Table, source: str, situation: Situation) -> Remedy | None:
    """The allowed pair whose two fixes alone leave the least deviation: chosen before any pair is run."""
    left = {setup: spread.deviation(_deployed(table, source, setup).by_seed) for setup in distinct(table, "setup")}
    allowed = [
        pair
        for pair in pairs()
        if all(name in left for name in pair.name.split("+")) and pair.refusal(situation) is None
    ]
    return min(allowed, key=lambda pair: sum(left[name] for name in pair.name.split("+")), default=None)


def _deployed(table: pa.Table, source: str, setup: str) -> Block:
    return block(table, source=source, setup=setup, split="deployed", metric="brier")


def _fixes(table: pa.Table, source: str) -> list[str]:
    return [setup for setup in distinct(chosen(table, source=source), "setup") if setup != NONE]


def _findings(table: pa.Table) -> tuple[Finding, ...]:
    found: dict[Claim, list[Finding]] = {claim: [] for claim in EXPERIMENT.claims}
    for source in distinct(table, "source"):
        for setup in _fixes(table, source):
            plain, fixed = paired(_deployed(table, source, NONE), _deployed(table, source, setup))
            place = partial(Finding, where=f"{source}, {setup}")
            left, of_left = spread.jackknife(spread.deviation_ratio, fixed.by_seed, plain.by_seed)
            found[REMAINS].append(place(claim=REMAINS, estimate=left, interval=of_left))
            found[HELPS].append(place(claim=HELPS, estimate=left, interval=of_left))
            gains = plain.values - fixed.values
            of_gain = spread.UNKNOWN
            if gains.shape[1] > 1:
                of_gain = interval(gains, Resampling.draw(gains.shape[0], gains.shape[1], np.random.default_rng(SEED)))
            found[NO_GAIN].append(place(claim=NO_GAIN, estimate=float(gains.mean()), interval=of_gain))
    return tuple(one for claim in EXPERIMENT.claims for one in found[claim])


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for source in distinct(table, "source"):
        for setup in [NONE, *_fixes(table, source)]:
            values = _deployed(table, source, setup).by_seed
            failed, runs = diverged(table, source=source, setup=setup)
            rate, of_rate = spread.share(failed, runs)
            resampled = spread.bootstrapped(spread.worst_minus_median, values, np.random.default_rng(SEED))
            rows.append(
                {
                    "source": source,
                    "fix": "none" if setup == NONE else setup,
                    "runs": runs,
                    "mean deployed Brier": float(values.mean()),
                    "sd": spread.deviation(values),
                    "worst - median": spread.worst_minus_median(values),
                    "its bootstrap": f"{resampled.low:.2g} to {resampled.high:.2g}",
                    "diverged": f"{rate:.0%} ({of_rate.low:.0%} to {of_rate.high:.0%})".replace("%", " %"),
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[Finding]) -> Figure:
    sources = distinct(table, "source")
    figure, axes = drawing.sheet(len(sources), 2, height=0.6 + 2.3 * len(sources))
    for row, source in zip(axes, sources, strict=True):
        runs = len(_deployed(table, source, NONE).seeds)
        _ladder(row[0], findings, source, REMAINS)
        _multiples(row[0])
        row[0].axvline(RESOLVED, color=drawing.GREY, linewidth=0.8, linestyle=":")
        row[0].set(xlabel="sd over seeds, multiple of without (left: steadier)", title=f"{source}: {runs} runs each")
        _ladder(row[1], findings, source, NO_GAIN)
        row[1].axvspan(-SMALLEST, SMALLEST, color="#e3e6e8", linewidth=0)
        row[1].set_yticks([])
        row[1].set(xlabel="gain in deployed Brier score (right: better)", title="grey: too small to matter")
    return figure


def _ladder(axes: Any, findings: Sequence[Finding], source: str, claim: Claim) -> None:
    these = [one for one in findings if one.claim is claim and one.where.startswith(f"{source}, ")]
    rows = [(_short(one.where.split(", ", 1)[1]), one.estimate, one.interval) for one in these]
    drawing.ladder(axes, rows, zero=1.0 if claim is REMAINS else 0.0)


def _multiples(axes: Any) -> None:
    """A logarithmic axis of what is drawn, told at the powers of two that it shows."""
    axes.set_xscale("log", base=2)
    low, high = axes.get_xlim()
    shown = {2.0**power: f"1/{2**-power}" if power < 0 else f"{2**power}" for power in range(-6, 7)}
    ticks = [tick for tick in shown if low <= tick <= high]
    axes.set_xticks(ticks, [shown[tick] for tick in ticks])
    axes.minorticks_off()


def _short(setup: str) -> str:
    return setup.replace("_", " ").replace("+", "\n+ ")


EXPERIMENT: Final = Experiment(
    name="figure2",
    title="Attempted fixes for instability",
    caption=(
        "Each fix alone, and last the pair of the two that alone left the least deviation, against the same training"
        " without a fix, with 95 % intervals. Left: standard deviation over seeds of the deployed Brier score as a"
        " multiple of that without; the dotted line is a quarter, which counts as resolved. Right: what the fix gains"
        " in the deployed score itself, of domains like these."
    ),
    claims=(REMAINS, HELPS, NO_GAIN),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        "Fixes have the settings that their sources recommend; none was tuned.",
        "An ensemble is five networks of other seeds, and costs five trainings a run.",
        "The pair was chosen by the same seeds that judge its parts, but before any pair was run.",
    ),
)
