"""Outputs that no label is the truth of: what they answer to the rows of a reference, as features that are watched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.output_numbers import output_columns
from monitoring.baseline.spec import OF_OUTPUT, BaselineSpec, FeatureSpec
from monitoring.tasks.task import WatchedOutput
from monitoring.traffic.value_kinds import why_no_input
from serving.export.answers.model_answers import listed_answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.export.keras_model import KerasModel


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherOutputs:
    """The other outputs of a model: those that are watched, their features, and the columns of a reference's rows."""

    watched: tuple[WatchedOutput, ...]
    features: tuple[FeatureSpec, ...]
    columns: dict[str, pa.ChunkedArray[Any]]

    def add_to(self, spec: BaselineSpec) -> BaselineSpec:
        """What a baseline is to hold, with these."""
        return replace(spec, features=(*spec.features, *self.features), other_outputs=self.watched)

    def append_to(self, table: pa.Table) -> pa.Table:
        """A reference with the columns."""
        for name, column in self.columns.items():
            table = table.append_column(name, column)
        return table


def other_outputs(reference: pa.Table, model: KerasModel, names: Sequence[str]) -> OtherOutputs:
    """Find what is watched of some outputs. Cost: one more pass of the rows through the model, where there are some."""
    if not names:
        return OtherOutputs(watched=(), features=(), columns={})
    answers = listed_answers(reference, model, names)
    watched: list[WatchedOutput] = []
    features: list[FeatureSpec] = []
    for name, column in answers.items():
        output = WatchedOutput(name=name, width=model.row_size(name))
        if pa.types.is_binary(column.type.value_type):
            if output.width != 1 or why_no_input(_texts(column).combine_chunks().cast(pa.large_string())):
                continue
            answers[name] = _texts(column)
            features.append(FeatureSpec(name=f"{OF_OUTPUT}{name}", kind="category"))
        else:
            features += [FeatureSpec(name=f"{OF_OUTPUT}{number}", kind="number") for number in output.numbers]
        watched.append(output)
    others = OtherOutputs(watched=tuple(watched), features=tuple(features), columns={})
    return replace(others, columns=output_columns(answers, others.add_to(BaselineSpec(classes=(), features=()))))


def _texts(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Lists of one text each as texts."""
    return pc.list_element(column, 0).cast(pa.string())
