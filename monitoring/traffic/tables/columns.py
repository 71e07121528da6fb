"""Which column of a table means what."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

import pyarrow as pa
from pydantic import ConfigDict, Field, SkipValidation

from monitoring.config import MonitorConfig
from monitoring.config.table_section import Role, TableFormat, TableSection, columns_named
from monitoring.tasks.ranking import Ranking
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.tables.table_format import BATCH_TIME, BatchKey

Kind: TypeAlias = Literal["number", "category"]

#: Column names of the monitor's own rows: no input may have one of them.
ROW_NAMES = ("prediction_id", "event_time", "probabilities", "label", "label_time")

#: Names that pandas gives an index without a name: in Parquet, where it reads one back from CSV, and none in CSV.
_UNNAMED_INDEX = re.compile(r"(__index_level_\d+__|Unnamed: 0(\.\d+)*)?")


class TableColumns(TableSection):
    """The columns of a table of predictions: as its section names them, with what its baseline has.

    >>> TableColumns(event_time="ts", scores=("p",), classes=("no", "yes"), inputs={"age": "number"}).mapped
    ('ts', 'prediction_id', 'label', 'label_time', 'p')

    Attributes:
        label_columns: where a row may have several classes: a 0 or 1 for each class, instead of `label`; where several
            numbers are predicted: one for each; may be none.
        batches: in place of event times, what a batch is; None where rows have event times.
        scores: one column (the probability of the second class, or lists of one per class) or one per class; none, and
            nothing predicted, where the table has inputs alone.
        id_scores: of a ranking, lists of the scores of its ids; None where there are none.
        classes: the classes, in the order of the scores; none where a number is predicted.
        reference_types: the columns of the reference and their Arrow types; empty while the reference itself is read.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    batches: SkipValidation[BatchKey | None] = None
    classes: SkipValidation[tuple[str, ...]] = ()
    numbers: SkipValidation[tuple[str, ...]] = ()
    exclusive: bool = True
    ranking: SkipValidation[Ranking | None] = None
    inputs: SkipValidation[Mapping[str, Kind]] = Field(default_factory=dict)
    described: SkipValidation[tuple[Descriptors, ...]] = ()
    outputs: SkipValidation[Mapping[str, TableColumns]] = Field(default_factory=dict)
    reference_types: SkipValidation[Mapping[str, str]] = Field(default_factory=dict)

    @property
    def format(self) -> TableFormat:
        """How the files are written."""
        return TableFormat(**{name: getattr(self, name) for name in TableFormat.model_fields})

    @property
    def roles(self) -> dict[str, Role]:
        """Every column that is no input, with what it is."""
        roles: dict[str, Role] = {}
        for _, name, role in columns_named(self):
            if role != "label":
                roles[name] = "predicted" if role == "score" and self.numbers else role
            elif name in self.label_cells:
                roles[name] = role
        for output in self.outputs.values():
            of_output = output.roles
            roles |= {name: of_output[name] for name in (*output.label_cells, *output.answer)}
        return roles

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
        return tuple(self.roles)


def named_columns(config: MonitorConfig, *, of_outputs: Mapping[str, tuple[str, ...]] | None = None) -> TableColumns:
    """The columns of a table as a config names them.

    Args:
        of_outputs: The classes of outputs that have some.
    """
    traffic, windows = config.traffic, config.windows
    columns = TableColumns(**{name: getattr(traffic, name) for name in TableSection.model_fields})
    if windows.by_batch:
        columns = columns.replaced(event_time=BATCH_TIME, batches=BatchKey(column=windows.batch_column))
    outputs = {
        name: columns.replaced(**dict(output), classes=(of_outputs or {}).get(name, ()))
        for name, output in traffic.outputs.items()
    }
    return columns.replaced(outputs=outputs)


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
