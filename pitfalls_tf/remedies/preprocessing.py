"""Preprocessing: numbers raw, standardised over all training rows, or within each source, season, or both.

Fitted on training rows without their labels; a source or season without training rows is standardised by its own
unlabelled target rows. Standardised are the numbers of a table (not its categories and gap indicators), and each
channel of images over all pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pitfalls_tf.remedies.remedy import Need, Remedy, RemedyContext
from pitfalls_tf.rows.examples import Examples

By = Literal["nothing", "source", "season", "source and season"]
FEWEST: Final = 30  # rows of a group: with fewer, the moments of all rows are better estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMoments:
    """Mean and deviation of each standardised column or channel, float64 [columns]."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Standardises rows by the moments of their group; rows of unknown groups by those of all training rows."""

    by: By
    columns: NDArray[np.int64]
    overall: ColumnMoments
    groups: Mapping[str, ColumnMoments]

    def __call__(self, examples: Examples) -> Examples:
        """The same rows, standardised."""
        inputs = examples.inputs.copy()
        keys = groups_of(examples, self.by)
        for key in np.unique(keys).tolist():
            rows, moments = np.flatnonzero(keys == key), self.groups.get(key, self.overall)
            values = (inputs[rows][..., self.columns] - moments.mean) / moments.deviation
            inputs[np.ix_(rows, *map(np.arange, inputs.shape[1:-1]), self.columns)] = values
        return replace(examples, inputs=inputs)

    def with_groups_of(self, target: Examples) -> Normalisation:
        """The same with moments of the groups that only the target has, from its rows."""
        added = _grouped(target, self.by, self.columns, self.overall)
        return replace(self, groups={**added, **self.groups})


def fit_normalisation(training: Examples, by: By) -> Normalisation:
    """Moments of the training rows, of all and of every group with at least `FEWEST` of them."""
    columns = numeric_columns(training)
    values = training.inputs[..., columns].reshape(-1, len(columns)).astype(np.float64)
    deviation = values.std(axis=0)
    overall = ColumnMoments(mean=values.mean(axis=0), deviation=np.where(deviation > 0, deviation, 1.0))
    return Normalisation(by=by, columns=columns, overall=overall, groups=_grouped(training, by, columns, overall))


def numeric_columns(examples: Examples) -> NDArray[np.int64]:
    """Find the numbers among the columns of tables, or the channels of images.

    A column of at most two values is an indicator, and not a number.

    Returns:
        int64, positions on the last axis.
    """
    if examples.inputs.ndim > 2:
        return np.arange(examples.inputs.shape[-1])
    tokens = examples.tokens or (1,) * examples.inputs.shape[-1]
    starts = np.cumsum((0, *tokens[:-1]))
    return np.array(
        [
            start
            for start, width in zip(starts.tolist(), tokens, strict=True)
            if width == 1 and len(np.unique(examples.inputs[:, start])) > 2
        ],
        dtype=np.int64,
    )


def groups_of(examples: Examples, by: By) -> NDArray[np.str_]:
    """The group of each row, str [n]: its source, its calendar month ("01" to "12", whatever the year), or both."""
    months = np.array([moment[5:7] for moment in np.datetime_as_string(examples.times, unit="M").tolist()], dtype=str)
    return {
        "nothing": np.full(len(examples), "all"),
        "source": examples.domains,
        "season": months,
        "source and season": np.char.add(np.char.add(examples.domains, " "), months),
    }[by]


def _grouped(
    examples: Examples, by: By, columns: NDArray[np.int64], overall: ColumnMoments
) -> dict[str, ColumnMoments]:
    keys = groups_of(examples, by)
    moments: dict[str, ColumnMoments] = {}
    for key, count in zip(*np.unique(keys, return_counts=True), strict=True):
        if count < FEWEST or by == "nothing":
            continue
        values = examples.inputs[keys == key][..., columns].reshape(-1, len(columns)).astype(np.float64)
        deviation = values.std(axis=0)
        # What is constant in a group, as the weather of one day may be, is scaled as all rows are.
        moments[str(key)] = ColumnMoments(
            mean=values.mean(axis=0), deviation=np.where(deviation > 1e-9, deviation, overall.deviation)
        )
    return moments


def _row_transform(by: By) -> Callable[[RemedyContext], Callable[[Examples], Examples]]:
    def rows(context: RemedyContext) -> Callable[[Examples], Examples]:
        normalisation = fit_normalisation(context.training, by)
        return normalisation if context.target is None else normalisation.with_groups_of(context.target)

    return rows


def _remedy(name: str, source: str, by: By, needs: tuple[Need, ...] = ()) -> Remedy:
    return Remedy(name=name, family="preprocessing", source=source, needs=needs, row_transform=_row_transform(by))


_SITES = "Johnson, Li and Rabinovic, Adjusting batch effects in microarray expression data, Biostatistics 2007"
_SEASONS = "Hipel and McLeod, Time series modelling of water resources and environmental systems, 1994"
PREPROCESSINGS: Final = (
    _remedy("standardised", "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998", "nothing"),
    _remedy("source_normalised", _SITES, "source"),
    _remedy("season_normalised", _SEASONS, "season", ("times",)),
    _remedy("source_and_season_normalised", f"{_SITES}; {_SEASONS}", "source and season", ("times",)),
)
