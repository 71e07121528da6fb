"""Which column of a table means what."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal, TypeAlias

import pyarrow as pa

from monitoring.config import MonitorConfig
from monitoring.tasks.ranking import Ranking
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.tables.table_format import AS_FILES_SHOW, BATCH_TIME, BatchKey, TableFormat

Kind: TypeAlias = Literal["number", "category"]

#: Column names of the monitor's own rows: no input may have one of them.
ROW_NAMES = ("prediction_id", "event_time", "probabilities", "label", "label_time")

#: Names that pandas gives an index without a name: in Parquet, and where it reads one back from CSV.
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__|Unnamed: 0(\.\d+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """The columns of a table of predictions, by what they mean.

    >>> TableColumns(event_time="ts", scores=("p",), classes=("no", "yes"), inputs={"age": "number"}).mapped
    ('ts', 'prediction_id', 'label', 'label_time', 'p')

    Attributes:
        label_columns: where a row may have several classes: a 0 or 1 for each class, instead of `label`; where several
            numbers are predicted: one for each; may be none.
        naive_timezone: the zone of times that have none.
        batches: in place of event times, what a batch is; None where rows have event times.
        scores: one column (the probability of the second class, or lists of one per class) or one per class; none, and
            nothing predicted, where the table has inputs alone.
        id_scores: of a ranking, lists of the scores of its ids; None where there are none.
        classes: the classes, in the order of the scores; none where a number is predicted.
        reference_types: the columns of the reference and their Arrow types; empty while the reference itself is read.
    """

    event_time: str = "event_time"
    prediction_id: str = "prediction_id"
    label: str = "label"
    label_columns: tuple[str, ...] = ()
    label_time: str = "label_time"
    naive_timezone: str = "UTC"
    format: TableFormat = AS_FILES_SHOW
    batches: BatchKey | None = None
    scores: tuple[str, ...] = ()
    predicted: str | None = None
    id_scores: str | None = None
    classes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    exclusive: bool = True
    ranking: Ranking | None = None
    inputs: Mapping[str, Kind] = field(default_factory=dict)
    described: tuple[Descriptors, ...] = ()
    outputs: Mapping[str, TableColumns] = field(default_factory=dict)
    reference_types: Mapping[str, str] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """How many numbers an answer has: one for each class, or those that are predicted; ids and their scores."""
        if self.outputs:
            return sum(output.width for output in self.outputs.values())
        if self.ranking is not None:
            return self.ranking.width
        return len(self.classes) or len(self.numbers) or 1

    @property
    def answer(self) -> tuple[str, ...]:
        """The columns that hold what the model answered; none where the table has inputs alone."""
        if self.outputs:
            return tuple(name for output in self.outputs.values() for name in output.answer)
        if self.predicted is None:
            return self.scores
        return (self.predicted,) if self.id_scores is None else (self.predicted, self.id_scores)

    @property
    def lists_labels(self) -> bool:
        """Whether a label may be a list: of classes, of numbers or of ids."""
        return bool(self.numbers) or not self.exclusive or self.ranking is not None

    @property
    def label_cells(self) -> tuple[str, ...]:
        """The columns that hold labels."""
        if self.outputs:
            return tuple(output.label for output in self.outputs.values())
        return self.label_columns or (self.label,)

    @property
    def plain_inputs(self) -> dict[str, Kind]:
        """The inputs that are columns themselves."""
        descriptor_names = {name for each in self.described for name in each.kinds}
        return {name: kind for name, kind in self.inputs.items() if name not in descriptor_names}

    @property
    def read(self) -> frozenset[str]:
        """Every column that is read."""
        return frozenset((*self.plain_inputs, *self.mapped, *(each.source for each in self.described)))

    @property
    def mapped(self) -> tuple[str, ...]:
        """Every column that is no input."""
        return (self.event_time, self.prediction_id, *self.label_cells, self.label_time, *self.answer)


#: Settings of a table under the names that its columns have.
_AS_NAMED = (
    "prediction_id",
    "label",
    "label_columns",
    "label_time",
    "naive_timezone",
    "scores",
    "predicted",
    "id_scores",
)


def named_columns(config: MonitorConfig, *, of_outputs: Mapping[str, tuple[str, ...]] | None = None) -> TableColumns:
    """The columns of a table as a config names them.

    Args:
        of_outputs: The classes of outputs that have some.
    """
    traffic, windows = config.traffic, config.windows
    form = TableFormat(**{each.name: getattr(traffic, each.name) for each in fields(TableFormat)})
    columns = TableColumns(
        event_time=BATCH_TIME if windows.by_batch else traffic.event_time,
        format=form,
        batches=BatchKey(column=windows.batch_column) if windows.by_batch else None,
        **{name: getattr(traffic, name) for name in _AS_NAMED},
    )
    outputs = {
        name: replace(
            columns,
            label=output.label,
            scores=output.scores,
            predicted=output.predicted,
            classes=(of_outputs or {}).get(name, ()),
        )
        for name, output in traffic.outputs.items()
    }
    return replace(columns, outputs=outputs)


def index_columns(schema: pa.Schema) -> frozenset[str]:
    """The columns of a file that were a data frame's index, by pandas' own metadata or by their names.

    They count rows and mean nothing.

    >>> index_columns(pa.schema([("__index_level_0__", pa.int64()), ("age", pa.int64())]))
    frozenset({'__index_level_0__'})
    """
    declared = _declared_index((schema.metadata or {}).get(b"pandas", b"{}"))
    return frozenset(name for name in schema.names if name in declared or _UNNAMED_INDEX.fullmatch(name))


def _declared_index(metadata: bytes) -> list[str]:
    try:
        index_columns = json.loads(metadata).get("index_columns", [])
    except (ValueError, AttributeError, RecursionError):
        return []
    return [name for name in index_columns if isinstance(name, str)] if isinstance(index_columns, list) else []
