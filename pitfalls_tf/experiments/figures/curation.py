"""Section 3: batches curated by loss, confidence or balance, where all is in order and where it is not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from pitfalls_tf.architectures.dense import Mlp
from pitfalls_tf.experiments import drawing
from pitfalls_tf.experiments.experiment import Claim, Experiment, Finding
from pitfalls_tf.experiments.gains import mean_gain
from pitfalls_tf.experiments.scores_table import block, distinct, diverged, paired
from pitfalls_tf.experiments.tasks import WHOLE, Part, Task
from pitfalls_tf.experiments.training_cell import TrainingCell
from pitfalls_tf.fitting.recipe import Recipe
from pitfalls_tf.remedies import catalogue
from pitfalls_tf.remedies.curation import SECONDS_A_ROW, cost
from pitfalls_tf.remedies.remedy import Situation
from pitfalls_tf.verdicts.verdict import SMALLEST, word_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pitfalls_tf.experiments.run_store import Lab
    from pitfalls_tf.rows.examples import Examples

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Rows to learn from: how many, of how many origins, and the share of them whose label is made wrong."""

    name: str
    rows: int
    origins: tuple[str, ...]
    wrong: float = 0.0


ONE: Final = ("mnist",)
THREE: Final = ("mnist", "uci", "font")
FEW, MANY, WRONG = 600, 2_400, 0.2
CONTROLLED: Final = Setting(name="controlled", rows=FEW, origins=ONE)
HARD: Final = Setting(name="noisy and diverse", rows=FEW, origins=THREE, wrong=WRONG)
LARGE: Final = Setting(name="noisy, diverse, 4 x rows", rows=MANY, origins=THREE, wrong=WRONG)
SETTINGS: Final = (
    CONTROLLED,
    Setting(name="wrong labels", rows=FEW, origins=ONE, wrong=WRONG),
    Setting(name="three origins", rows=FEW, origins=THREE),
    HARD,
    LARGE,
)
UNCURATED: Final = "uncurated"
SEED: Final = 3
SCORED: Final = 500  # rows of each origin are kept for scoring

PROMISING: Final = Claim(
    name="promising when controlled",
    section="3",
    says="curated batches may superficially appear promising in controlled settings",
    quantity="gain in error, in the controlled setting, of the curation that gains most there",
    above=SMALLEST,
    because="The best of several by the same scores: superficially, as the paper says.",
)
DETERIORATES: Final = Claim(
    name="deteriorates when noisy and diverse",
    section="3",
    says="curated batches deteriorate when exposed to more diverse and noisy data",
    quantity="gain in error of that curation when controlled, less its gain with wrong labels and three origins",
    above=0.0,
)
SCALES: Final = Claim(
    name="does not scale",
    section="3",
    says="curated batches did not scale effectively",
    quantity="gain in error of that curation with four times the noisy, diverse rows, less that with the fewer ones",
    below=SMALLEST,
    because="Looking at four times the rows costs four times as much and would have to buy something.",
)


def task(setting: Setting, images: Examples) -> Task:
    """The rows of a setting, and clean rows of the same origins to be scored on, which nobody learns from."""
    random = np.random.default_rng(SEED)
    learnt, scored = [], []
    for name in setting.origins:
        there = images.domain(name)
        there = there.take(random.permutation(len(there)))
        scored.append(there.take(np.arange(SCORED)))
        learnt.append(there.take(np.arange(SCORED, SCORED + setting.rows // len(setting.origins))))
    training, clean = _joined(learnt), _joined(scored)
    return Task(
        source="digits",
        training=mislabelled(training, setting.wrong),
        validation=clean,
        parts=(Part(split="random", domain=WHOLE, examples=clean),),
    )


def mislabelled(examples: Examples, share: float) -> Examples:
    """A share of the rows, to the nearest, with another label than theirs, each other one as likely."""
    random = np.random.default_rng(SEED)
    chosen = random.permutation(len(examples))[: round(share * len(examples))]
    targets = examples.targets.copy()
    targets[chosen] = (targets[chosen] + random.integers(1, len(examples.classes), len(chosen))) % len(examples.classes)
    return replace(examples, targets=targets)


def grid(settings: Sequence[Setting], images: Examples, base: Recipe) -> list[TrainingCell]:
    """Uncurated and every curation that the rows of a setting allow."""
    cells = []
    for setting in settings:
        rows = task(setting, images)
        cells.append(TrainingCell(setup=f"{setting.name}: {UNCURATED}", task=rows, recipe=base))
        for remedy in catalogue.family("curation"):
            if remedy.refusal(Situation(recipe=base, training=rows.training)) is None:
                recipe = remedy.applied(base, rows.training)
                cells.append(TrainingCell(setup=f"{setting.name}: {remedy.name}", task=rows, recipe=recipe))
    return cells


def gains(table: pa.Table, setting: str, curation: str) -> Floats:
    """Gain in error over uncurated batches, [1, seeds]."""
    one, other = paired(
        *(
            block(table, source="digits", setup=f"{setting}: {name}", split="random", metric="error")
            for name in (curation, UNCURATED)
        )
    )
    return other.values - one.values


def base(*, quick: bool) -> Recipe:
    """A perceptron, which learns digits of one hand well and is quickly run."""
    network = Mlp(hidden=(128, 64))
    return Recipe(architecture=network, epochs=15 if quick else 30, batch=50, optimiser=network.optimiser)


def _joined(parts: Sequence[Examples]) -> Examples:
    return replace(
        parts[0],
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        domains=np.concatenate([part.domains for part in parts]),
        times=np.concatenate([part.times for part in parts]),
    )


def _measure(lab: Lab) -> pa.Table:
    from pitfalls_tf.sources import digits  # noqa: PLC0415 - reads images

    cells = grid(SETTINGS, digits.load(), base(quick=lab.scale.quick))
    return lab.run(cells, lab.scale.numbers(full=20, quick=4))


def _curations(table: pa.Table, setting: str) -> list[str]:
    there = [setup.split(": ") for setup in distinct(table, "setup")]
    return [name for place, name in there if place == setting and name != UNCURATED]


def _findings(table: pa.Table) -> tuple[Finding, ...]:
    means = {name: float(gains(table, CONTROLLED.name, name).mean()) for name in _curations(table, CONTROLLED.name)}
    best = max(means, key=lambda name: means[name])
    controlled, hard, large = (gains(table, setting.name, best) for setting in (CONTROLLED, HARD, LARGE))
    seeds = min(controlled.shape[1], hard.shape[1], large.shape[1])
    measured = (
        (PROMISING, controlled),
        (DETERIORATES, controlled[:, :seeds] - hard[:, :seeds]),
        (SCALES, large[:, :seeds] - hard[:, :seeds]),
    )
    return tuple(
        Finding(
            claim=claim,
            where=f"digits: {best.replace('_', ' ')}",
            estimate=mean_gain(values)[0],
            interval=mean_gain(values)[1],
        )
        for claim, values in measured
    )


def _summary(table: pa.Table) -> pa.Table:
    rows = []
    for setting in SETTINGS:
        taken = cost(base(quick=True), setting.rows)
        for name in _curations(table, setting.name):
            values = gains(table, setting.name, name)
            estimate, interval = mean_gain(values)
            alone = block(
                table, source="digits", setup=f"{setting.name}: {UNCURATED}", split="random", metric="error"
            ).by_seed
            rows.append(
                {
                    "setting": setting.name,
                    "rows": setting.rows,
                    "curation": name.replace("_", " "),
                    "diverged": diverged(table, source="digits", setup=f"{setting.name}: {name}")[0],
                    "error, uncurated": float(alone.mean()),
                    "gain in error": estimate,
                    "from": interval.low,
                    "to": interval.high,
                    "verdict": "too few seeds" if np.isnan(interval.low) else word_of(interval, SMALLEST),
                    "rows looked at per epoch": taken.looked_at // base(quick=True).epochs,
                    "hours per epoch by hand": taken.hours / base(quick=True).epochs,
                }
            )
    return pa.Table.from_pylist(rows)


def _draw(table: pa.Table, findings: Sequence[Finding]) -> Figure:
    del findings
    figure, axes = drawing.sheet(1, 1, height=3.2)
    _panel(axes[0][0], table)
    figure.legend(loc="outside lower center", ncols=5)
    return figure


def _panel(axes: Any, table: pa.Table) -> None:
    names = _curations(table, HARD.name)  # all of them: there are several domains to balance
    axes.axhspan(-SMALLEST, SMALLEST, color="#e3e6e8", linewidth=0, zorder=0)
    axes.axhline(0, color=drawing.GREY, linewidth=0.8)
    for place, name in enumerate(names):
        for position, setting in enumerate(SETTINGS):
            if name not in _curations(table, setting.name):
                continue
            values = gains(table, setting.name, name)
            estimate, interval = mean_gain(values)
            at = position + (place - (len(names) - 1) / 2) * 0.13
            axes.plot([at, at], [interval.low, interval.high], color=drawing.COLOURS[place])
            axes.plot(
                [at],
                [estimate],
                marker=drawing.MARKERS[place],
                color=drawing.COLOURS[place],
                markersize=4,
                linestyle="",
                label=name.replace("_", " ") if setting is HARD else None,
            )
    hours = [cost(base(quick=True), setting.rows).hours / base(quick=True).epochs for setting in SETTINGS]
    labels = [
        f"{setting.name.replace(', 4', ',' + chr(10) + '4')}\n{setting.rows} rows\n{time:.1f} h"
        for setting, time in zip(SETTINGS, hours, strict=True)
    ]
    axes.set_xticks(range(len(SETTINGS)), labels)
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("gain in share of errors\n(up is better)")
    seeds = gains(table, HARD.name, names[0]).shape[1]
    axes.set_title(f"digits, {seeds} seeds; hours: each row looked at once, {SECONDS_A_ROW:g} s each (assumed)")


EXPERIMENT: Final = Experiment(
    name="curation",
    title="Curated batches where all is in order, and where it is not",
    caption=(
        "What each way of curating batches gains in share of errors over batches as they come: mean over seeds with its"
        " 95 % interval. From left to right: clean labels of one origin; a fifth of the labels wrong; three origins;"
        " both; and four times as many rows of both. Between the grey edges a difference is too small to matter."
    ),
    claims=(PROMISING, DETERIORATES, SCALES),
    measure=_measure,
    findings=_findings,
    draw=_draw,
    summary=_summary,
    remarks=(
        "Nobody curated by hand: rules that see losses, confidence or labels stand in for people, who may see more.",
        f"Hours are what looking at every row once would take at {SECONDS_A_ROW:g} s a row, an assumption.",
        "Scored on clean rows of the same origins. The interval is over seeds: there is one domain in each setting.",
        "Wrong labels are drawn uniformly among the other nine digits; people's mistakes are not like that.",
    ),
)
