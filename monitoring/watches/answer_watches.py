"""What is watched of answers without labels: the outputs themselves, and the losses that they let expect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from typing_extensions import override

from monitoring.records import ScoreSum, Watch, WatchKey
from monitoring.tasks.task import ESTIMATED, Task
from monitoring.watches.estimates import expected_sums
from monitoring.watches.family import AnsweredCounts, Counts, ScoredRows, Sums, WatchFamily
from monitoring.watches.scoring import fixed_point_sum


@dataclass(frozen=True, kw_only=True, eq=False)
class OutputWatches(WatchFamily):
    """The watches on what the model answers."""

    task: Task

    @cached_property
    @override
    def watches(self) -> tuple[Watch, ...]:
        return self.task.output_watches

    def tally_answers(self, rows: ScoredRows, power: int) -> Counts:
        """See `WatchFamily`: one sum for each watch."""
        scores = [rows.outputs[watch.name] for watch in self.watches]
        sums = [fixed_point_sum(values if power == 1 else values**power) for values in scores]
        return {"outputs": np.array(sums, dtype=np.int64)}

    @override
    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        rows, totals = answered.tally.number("rows"), answered.tally.numbers("outputs") or (0,) * len(self.watches)
        return {
            WatchKey(watch=watch.name): ScoreSum(rows, total) for watch, total in zip(self.watches, totals, strict=True)
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class EstimateWatches(WatchFamily):
    """The watches on estimated losses: of the metrics that have a loss watch, where it is known what to expect."""

    task: Task

    @cached_property
    @override
    def watches(self) -> tuple[Watch, ...]:
        return tuple(
            replace(loss, name=f"{ESTIMATED}{loss.name}", family="estimates", needs_label=False)
            for loss in self.task.loss_watches
            if loss.family == "performance"
        )

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "estimates"

    def tally_answers(self, rows: ScoredRows, power: int) -> Counts:
        """See `WatchFamily`: the first power is in the rows' own counts."""
        return {} if power == 1 else {"expected": expected_sums(rows.expected, self.task.metrics, power=power)}

    @override
    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        rows, sums = answered.tally.number("rows"), answered.tally.counts.get("expected")
        places = (self.task.metrics.index(watch.name.removeprefix(ESTIMATED)) for watch in self.watches)
        totals = (0 if sums is None else int(sums[place, 0]) for place in places)
        return {
            WatchKey(watch=watch.name): ScoreSum(rows, total) for watch, total in zip(self.watches, totals, strict=True)
        }
