"""Selection rates: how often the model chooses the last class for a group of rows, less how often it does for all.

Demographic parity without labels: a gap says that the groups are treated differently, and not whether that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from monitoring.errors import BadInput
from monitoring.records import SCORE_ONE, ScoreSum, Watch, WatchKey
from monitoring.tasks.task import Task
from monitoring.watches.family import AnsweredCounts, Counts, ScoredRows, Sums, WatchFamily

#: What precedes the group in a watch's name.
PREFIX = "selection:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionGaps(WatchFamily):
    """The groups whose selection rates are watched: values of columns that traffic is sliced by.

    Attributes:
        groups: The values of each column, by its name; none: nothing is watched.
        columns: The columns that traffic is sliced by, in order.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task, slices: Mapping[str, tuple[str, ...]], columns: tuple[str, ...]) -> SelectionGaps:
        """The groups of a classifier. Raises BadInput where there are groups, and the model does not choose a class.

        Args:
            slices: The values of each column that traffic is sliced by.
            columns: Those of which each value is a group.
        """
        groups = {column: slices[column] for column in columns}
        if groups and not task.exclusive:
            raise BadInput(
                "Selection rates are of models that choose one of some classes.",
                got=f"selection_groups of a model that answers with {'several' if task.classes else 'no classes'}",
                expected="a classifier",
                fix="Remove selection_groups from the [traffic] section.",
            )
        return cls(groups=groups, columns=tuple(slices))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each group's watch."""
        return tuple(f"{PREFIX}{column}={value}" for column, values in self.groups.items() for value in values)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """One watch per group: its selection rate less that of all rows, in [-1, 1]."""
        return tuple(
            Watch(
                name=name,
                family="selection",
                level="notice",
                needs_label=False,
                direction="both",
                scale=2.0,
                offset=-1.0,
            )
            for name in self.names
        )

    def group(self, watch: Watch) -> str:
        """One for all."""
        return "selection"

    def tally_answers(self, rows: ScoredRows, power: int) -> Counts:
        """See `WatchFamily`: counts, which no power changes."""
        if not self.groups:
            return {}
        return {"selected": self.tally(rows.probabilities, dict(zip(self.columns, rows.codes, strict=True)))}

    @override
    def answer_sums(self, answered: AnsweredCounts, power: int) -> Sums:
        return self.sums_of(answered.tally.counts.get("selected", np.zeros((0, 2), np.int64)), power=power)

    def tally(self, probabilities: NDArray[np.float64], codes: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
        """Count rows and the selected among them.

        Args:
            probabilities: Finite, [n, classes].
            codes: The index of each row's value, [n], by column.

        Returns:
            Rows and selected ones, of all and then of each group, int64 [1 + groups, 2]; [0, 2] without groups.
        """
        if not self.groups:
            return np.zeros((0, 2), dtype=np.int64)
        last = probabilities.shape[1] - 1
        chosen = probabilities.argmax(axis=1) == last if len(probabilities) else np.zeros(0, dtype=np.bool_)
        counts = [(len(chosen), int(chosen.sum()))]
        for column, values in self.groups.items():
            inside = np.bincount(codes[column], minlength=len(values) + 1)
            selected = np.bincount(codes[column][chosen], minlength=len(values) + 1)
            counts += zip(inside.tolist()[:-1], selected.tolist()[:-1], strict=True)
        return np.array(counts, dtype=np.int64)

    def sums_of(self, tally: NDArray[np.int64], *, power: int = 1) -> dict[WatchKey, ScoreSum]:
        """The watches' sums over the rows of each group.

        A row scores ``(1 + 1 if it is selected, else 0, less the rate of all rows of the window) / 2``.

        >>> gaps = SelectionGaps(groups={"sex": ("f", "m")})
        >>> sums = gaps.sums_of(np.array([[10, 4], [5, 1], [5, 3]]))
        >>> [round(2 * one.mean - 1, 3) for one in sums.values()]
        [-0.2, 0.2]
        """
        if not len(tally):
            return {WatchKey(watch=name): ScoreSum() for name in self.names}
        (rows, selected), *groups = tally.tolist()
        rate = selected / max(rows, 1)
        sums = {}
        for name, (inside, chosen) in zip(self.names, groups, strict=True):
            total = chosen * (1.0 - rate / 2.0) ** power + (inside - chosen) * ((1.0 - rate) / 2.0) ** power
            sums[WatchKey(watch=name)] = ScoreSum(inside, round(total * SCORE_ONE))
        return sums
