"""Changes of the relation of inputs and label: are the inputs named, and none where only rows or noise changed?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import logit

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.law import NUMBERS, Day, calm_day, linear, predictions, sigmoid
from benchmarks.years.deployments import DEPLOYMENTS
from monitoring.records import Condition, RelationChange
from monitoring.subgroups.relation import LabelledSide, relation_change
from monitoring.subgroups.subgroups import conditions_of, meeting

SEED = 20_261_203
STREAMS, QUICK = 40, 2

#: Labelled rows since the onset, and rows of the reference.
LIVE, BASELINE = 1_500, 6_000

#: Points that labels become more or less frequent where a condition is met, and where two are; standard deviations of a
#: number.
RISE, RISE_OF_TWO = 0.25, 0.40
RISE_OF_NUMBER, RISE_OF_NUMBER_TWO = 0.6, 1.0

#: Shares of the rows that such regions have.
SHARES, SHARES_OF_TWO = (0.12, 0.4), (0.08, 0.3)

#: A region of two conditions has at most so much of the rows of either.
MOST_OF_ONE = 0.7

#: Over so many permutations of an input the model's answers are averaged, to see what it would say without it.
PERMUTATIONS = 6

#: Labels of other rows, in the share that noise has.
NOISE = 0.15

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Two sides in which nothing differs, and what the model would say if it did not know an input.

    Attributes:
        without: Of the live side, by input, the predictions with the input's values of other rows, [n].
    """

    baseline: LabelledSide
    live: LabelledSide
    without: dict[str, Floats]
    is_share: bool = True


#: Changes the labels, or the rows, of the live side; gives the inputs at fault.
Change = Callable[[World, np.random.Generator], tuple[LabelledSide, tuple[str, ...]]]


def moved(live: LabelledSide, wanted: Floats, rng: np.random.Generator, *, is_share: bool) -> LabelledSide:
    """The labels moved by as much as wanted predictions differ from the model's, [n]: as few labels as can be."""
    if not is_share:
        return replace(live, label=live.label + wanted - live.predicted)
    p, q = (np.clip(each, 1e-6, 1.0 - 1e-6) for each in (live.predicted, wanted))
    chance = np.where(q > p, (q - p) / (1.0 - p) * (1.0 - live.label), (p - q) / p * live.label)
    return replace(live, label=np.where(rng.random(p.size) < chance, 1.0 - live.label, live.label))


def _choices(live: LabelledSide) -> list[Condition]:
    return [one for name, column in live.inputs.items() for pair in conditions_of(name, column) for one in pair]


def _shifted(world: World, conditions: Sequence[Condition], rise: float, rng: np.random.Generator) -> LabelledSide:
    inside = meeting(conditions, world.live.inputs)
    live = world.live
    if not world.is_share:
        return replace(live, label=live.label + rise * inside * float(np.std(live.label)))
    rate = float(live.label[inside].mean())
    rise = abs(rise) if rate < 0.5 else -abs(rise)
    chance = rise / (1.0 - rate) * (1.0 - live.label) if rise > 0 else -rise / rate * live.label
    return replace(live, label=np.where(inside & (rng.random(inside.size) < chance), 1.0 - live.label, live.label))


def region(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Labels are more or less frequent where a condition on one input holds."""
    choices = _choices(world.live)
    for at in rng.permutation(len(choices)):
        share = meeting([choices[at]], world.live.inputs).mean()
        if SHARES[0] <= share <= SHARES[1]:
            rise = RISE if world.is_share else RISE_OF_NUMBER
            return _shifted(world, [choices[at]], rise, rng), (choices[at].input,)
    raise ValueError("No condition has such a share of the rows.")


def region_of_two(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Labels are more or less frequent where conditions on two inputs hold."""
    choices = _choices(world.live)
    for _ in range(10_000):
        first, second = (choices[at] for at in rng.choice(len(choices), 2, replace=False))
        share = meeting([first, second], world.live.inputs).mean()
        alone = min(meeting([each], world.live.inputs).mean() for each in (first, second))
        if (
            first.input != second.input
            and share < MOST_OF_ONE * alone
            and SHARES_OF_TWO[0] <= share <= SHARES_OF_TWO[1]
        ):
            rise = RISE_OF_TWO if world.is_share else RISE_OF_NUMBER_TWO
            return _shifted(world, [first, second], rise, rng), (first.input, second.input)
    raise ValueError("No two conditions have such a share of the rows.")


def effect_gone(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """One of the two inputs that the model needs most says nothing of the label any more."""
    order = sorted(world.without, key=lambda name: -float(np.abs(world.without[name] - world.live.predicted).mean()))
    name = order[int(rng.integers(2))]
    return moved(world.live, world.without[name], rng, is_share=world.is_share), (name,)


def effect_reversed(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """One of the two inputs that the model needs most says of the label the contrary of what it did."""
    gone = replace(world, without={name: _mirrored(world, values) for name, values in world.without.items()})
    return effect_gone(gone, rng)


def _mirrored(world: World, without: Floats) -> Floats:
    if not world.is_share:
        return 2.0 * without - world.live.predicted
    odds = [logit(np.clip(each, 1e-4, 1.0 - 1e-4)) for each in (without, world.live.predicted)]
    return sigmoid(2.0 * odds[0] - odds[1])


def nothing(world: World, _rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Nothing changed."""
    return world.live, ()


def noise(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Some labels are those of other rows."""
    live = world.live
    hit = rng.random(live.label.size) < NOISE
    return replace(live, label=np.where(hit, rng.permutation(live.label), live.label)), ()


def flips(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Some labels are flipped; numbers are noisier by half."""
    live = world.live
    if not world.is_share:
        return replace(live, label=live.label + rng.normal(0.0, 0.5 * float(np.std(live.label)), live.label.size)), ()
    return replace(live, label=np.where(rng.random(live.label.size) < NOISE, 1.0 - live.label, live.label)), ()


def harder(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Rows of which the model is unsure are more frequent, and so is the upper half of its most needed number."""
    live = world.live
    unsure = -np.abs(live.predicted - np.median(live.predicted)) / (float(np.std(live.predicted)) or 1.0)
    weights = np.exp(1.5 * unsure)
    number = next((column for column in live.inputs.values() if isinstance(column, np.ndarray)), None)
    if number is not None:
        weights = weights * np.where(number >= np.nanmedian(number), 2.0, 1.0)
    return live.part(rng.random(weights.size) < weights / np.quantile(weights, 0.7)), ()


def level(world: World, rng: np.random.Generator) -> tuple[LabelledSide, tuple[str, ...]]:
    """Labels are more frequent everywhere, by .7 of their log odds; numbers larger, by .3 standard deviations."""
    live = world.live
    if not world.is_share:
        return replace(live, label=live.label + 0.3 * float(np.std(live.label))), ()
    odds = logit(np.clip(live.predicted, 1e-6, 1.0 - 1e-6))
    return moved(live, sigmoid(odds + 0.7), rng, is_share=True), ()


CHANGES: dict[str, Change] = {
    "one condition": region,
    "two conditions": region_of_two,
    "an input's effect gone": effect_gone,
    "an input's effect reversed": effect_reversed,
    "nothing": nothing,
    "labels of other rows": noise,
    "flipped labels": flips,
    "harder rows": harder,
    "everywhere alike": level,
}


def lender_world(stream: int) -> World:
    """The lender: 60 days of 100 rows, and then 15."""
    rng = np.random.default_rng([SEED, stream])
    days = [calm_day(number, rng, rows=100) for number in range(75)]
    sides = [_lender_side(number, days[number]) for number in range(75)]
    joined = [_joined(part) for part in (sides[:60], sides[60:])]
    live = days[60:]
    numbers = np.concatenate([day.numbers for day in live])
    region_codes, channel = (np.concatenate([getattr(day, name) for day in live]) for name in ("region", "channel"))
    without = {}
    for at, name in enumerate((*NUMBERS, "region", "channel")):
        answers = []
        for order in (rng.permutation(len(numbers)) for _ in range(PERMUTATIONS)):
            changed = [numbers.copy(), region_codes, channel]
            if at < len(NUMBERS):
                changed[0][:, at] = numbers[order, at]
            else:
                changed[at - len(NUMBERS) + 1] = changed[at - len(NUMBERS) + 1][order]
            answers.append(sigmoid(linear(*changed)))
        without[name] = np.mean(answers, axis=0)
    return World(baseline=joined[0], live=joined[1], without=without)


def _lender_side(number: int, day: Day) -> LabelledSide:
    rows = predictions(day, number)
    inputs = {
        name: column.combine_chunks() if pa.types.is_string(column.type) else column.to_numpy()
        for name, column in zip(rows.features.column_names, rows.features.columns, strict=True)
    }
    label = rows.labels.astype(np.float64)
    return LabelledSide(
        inputs=inputs, predicted=rows.probabilities[:, 1], label=label, window=np.full(label.size, number)
    )


def _joined(sides: Sequence[LabelledSide]) -> LabelledSide:
    def together(name: str) -> Floats | pa.Array:
        columns = [side.inputs[name] for side in sides]
        return np.concatenate(columns) if isinstance(columns[0], np.ndarray) else pa.concat_arrays(columns)

    return LabelledSide(
        inputs={name: together(name) for name in sides[0].inputs},
        predicted=np.concatenate([side.predicted for side in sides]),
        label=np.concatenate([side.label for side in sides]),
        window=np.concatenate([side.window for side in sides]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answered:
    """A table with the answers of models that have not seen a row's week, and answers without each input."""

    side: LabelledSide
    without: dict[str, Floats]
    is_share: bool

    def world(self, stream: int) -> World:
        """Weeks drawn at random: those of about `LIVE` rows, and others."""
        rng = np.random.default_rng([SEED, stream])
        weeks, place, counts = np.unique(self.side.window, return_inverse=True, return_counts=True)
        order = rng.permutation(weeks.size)
        filled = np.empty(weeks.size, dtype=np.int64)
        filled[order] = np.cumsum(counts[order])
        rows = filled[place]
        live = rows <= LIVE
        baseline = (rows > LIVE) & (rows <= LIVE + BASELINE)
        return World(
            baseline=self.side.part(baseline),
            live=self.side.part(live),
            without={name: values[live] for name, values in self.without.items()},
            is_share=self.is_share,
        )


def answered_table(name: str) -> Answered:
    """One of the tables of years, answered by boosted trees over five folds of weeks. Cost: some ten seconds."""
    from sklearn import ensemble  # noqa: PLC0415 - only benchmarks need it

    is_share = name != "rides as numbers"
    deployment = next(each for each in DEPLOYMENTS if each.name == name.split(maxsplit=1)[0])
    rows = deployment.rows()
    rows = rows[rows["time"] < rows["time"].max()].reset_index(drop=True)
    if is_share:
        label = (rows["label"] == min(rows["label"].unique())).to_numpy(dtype=np.float64)
    else:
        label = (rows["two_weeks_before"].shift(-14)).to_numpy(dtype=np.float64) / 1000.0
        rows, label = rows[~np.isnan(label)].reset_index(drop=True), label[~np.isnan(label)]
    columns = rows.drop(columns=["time", "label_time", "label"])
    inputs, encoded = _encoded(columns)
    week = ((rows["time"] - rows["time"].min()).dt.days // 7).to_numpy(dtype=np.int64)
    predicted, rng = np.zeros(len(rows)), np.random.default_rng(SEED)
    without = {column: np.zeros(len(rows)) for column in columns}
    fold = rng.integers(0, 5, week.max() + 1)[week]
    for held in range(5):
        there = fold == held
        kind = ensemble.HistGradientBoostingClassifier if is_share else ensemble.HistGradientBoostingRegressor
        predict = _answers(kind(max_iter=60, max_depth=4, random_state=0).fit(encoded[~there], label[~there]))
        predicted[there] = predict(encoded[there])
        for at, column in enumerate(columns):
            answers = []
            for _ in range(PERMUTATIONS):
                changed = encoded[there].copy()
                changed[:, at] = rng.permutation(changed[:, at])
                answers.append(predict(changed))
            without[column][there] = np.mean(answers, axis=0)
    side = LabelledSide(inputs=inputs, predicted=predicted, label=label, window=week)
    return Answered(side=side, without=without, is_share=is_share)


def _encoded(columns: pd.DataFrame) -> tuple[dict[str, Floats | pa.Array], Floats]:
    """Columns as inputs, and as numbers for trees, [n, columns]."""
    inputs: dict[str, Floats | pa.Array] = {}
    encoded = np.zeros(columns.shape)
    for at, column in enumerate(map(str, columns)):
        values = columns[column]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            inputs[column] = encoded[:, at] = values.to_numpy(dtype=np.float64)
        else:
            text = values.astype("string")
            inputs[column] = pa.array(text, pa.string(), from_pandas=True)
            encoded[:, at] = pd.factorize(text)[0]
    return inputs, encoded


def _answers(model: Any) -> Callable[[Floats], Floats]:
    """What a fitted model says of encoded rows: a probability, or a number."""
    if not hasattr(model, "predict_proba"):
        return cast("Callable[[Floats], Floats]", model.predict)
    return lambda encoded: np.asarray(model.predict_proba(encoded)[:, 1], dtype=np.float64)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was found in streams of one world and change."""

    streams: int = 0
    named: int = 0
    first_right: int = 0
    false_share: float = 0.0
    everywhere: int = 0
    region_right: int = 0
    seconds: float = 0.0
    rise: float = 0.0

    def add(self, change: RelationChange | None, at_fault: tuple[str, ...], seconds: float, rise: float) -> None:
        """Count one stream."""
        self.streams += 1
        self.rise += rise
        self.seconds += seconds
        if change is None:
            return
        named = change.inputs
        self.named += bool(named)
        self.everywhere += not named
        self.first_right += bool(named) and named[0] in at_fault
        self.false_share += sum(name not in at_fault for name in named) / max(len(named), 1)
        self.region_right += bool(named) and {each.input for each in change.conditions} == set(at_fault)

    def row(self) -> tuple[Cell, ...]:
        """As cells of a table."""
        sums = (self.rise, self.named, self.first_right, self.false_share, self.region_right, self.everywhere)
        return tuple(each / self.streams for each in (*sums, 1000.0 * self.seconds))


def risen(world: World, live: LabelledSide) -> float:
    """The mean squared error of the changed rows over that of the unchanged ones."""
    before, now = (float(np.mean((side.label - side.predicted) ** 2)) for side in (world.live, live))
    return now / before


def measure(settings: Settings) -> Result:
    """Plant changes in the lender, three tables of years, and a table of numbers. Cost: a minute or two of a core."""
    streams = QUICK if settings.quick else STREAMS
    worlds: dict[str, Callable[[int], World]] = {"lender": lender_world}
    for name in ("force", "birds", "football", "rides as numbers"):
        worlds[name] = answered_table(name).world
    rows: list[tuple[Cell, ...]] = []
    for world_name, make in worlds.items():
        tallies = {name: Tally() for name in CHANGES}
        for stream in range(streams):
            world = make(stream)
            for at, (name, change) in enumerate(CHANGES.items()):
                live, at_fault = change(world, np.random.default_rng([SEED, stream, at]))
                begun = time.process_time()
                found = relation_change(world.baseline, live, is_share=world.is_share)
                tallies[name].add(found, at_fault, time.process_time() - begun, risen(world, live))
        rows += [(world_name, name, streams, *tally.row()) for name, tally in tallies.items()]
        print(world_name, file=sys.stderr)
    columns = ("world", "change", "streams", "loss", "named", "right first", "false", "region", "everywhere", "CPU ms")
    note = (
        f"About {LIVE:,} labelled rows since the onset, {BASELINE:,} of the reference, of weeks drawn at random from "
        "the same years; of their real labels as few are changed as each change needs. Loss: the mean squared error of "
        "changed rows over that of unchanged ones. Shares of streams: an input is named; the one at fault first; the "
        "mean share of named inputs that are not at fault; the region has the inputs at fault; all rows alike are told."
    )
    table = Table(title="Changes of the relation of inputs and label", columns=columns, rows=tuple(rows), note=note)
    return Result(tables=(table,))
