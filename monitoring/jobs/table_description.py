"""What the owner of a table of predictions says of it, and the columns that this means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, cast, get_args

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import ColumnSection, MetricDraft
from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Task, TaskName
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.traffic.tables.batches import BATCH_TIME
from monitoring.traffic.tables.columns import Kind, TableColumns
from monitoring.traffic.tables.inputs.column_kinds import kinds_of
from monitoring.traffic.tables.inputs.described_columns import with_described
from monitoring.traffic.tables.reference import (
    LoadedPiece,
    absent_columns,
    check_label_times,
    check_labels,
    check_scores,
    classes_of,
    spelling,
    time_columns,
    types_of,
)
from monitoring.traffic.tables.table_format import AS_FILES_SHOW, BatchKey, TableFormat
from monitoring.traffic.tables.tasks.class_sets import holds_sets, with_sets
from monitoring.traffic.tables.tasks.number_vectors import are_vectors, hold_numbers, hold_texts_of_lists, with_vectors
from monitoring.traffic.tables.tasks.numbers import check_numbers, inferred_task
from monitoring.traffic.tables.tasks.outputs import (
    OutputColumns,
    named_outputs,
    output_tasks,
    outputs_named,
    with_outputs,
)
from monitoring.traffic.tables.tasks.rankings import check_ranking_columns, with_ranking
from monitoring.traffic.tables.times import check_zone

#: The usual name of the column of event times.
EVENT_TIME = "event_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDescription:
    """What the owner of a table of predictions says of it. A column that is not named has its usual name.

    Attributes:
        event_time: the column of event times; None: `event_time`. The reference may have none.
        scores: one column (the probability of the second class, or lists), or one for each class; of a ranking, one
            column of lists with a score of each id.
        label_columns: instead of `label`, where a row may have several classes: a column of 0 and 1 for each; where
            several numbers are predicted: one for each.
        classes: the classes in the order of the scores; empty: as the table has them.
        task: "classification", "multilabel" (any of several classes), "regression", "ranking" (lists of ids, best
            first) or "inputs" (no answers, inputs alone); None: as labels and answers are, and none of the last two.
        inputs: columns, or NAME:KIND; empty: all columns that nothing else is made of.
        quantile: which quantile of the label a predicted number is; None: its mean or median.
        naive_timezone: the zone of times that have none.
        batches: what a batch is, where rows have no event times; None: they have.
        settings: other settings of the config by section, such as ``{"windows": {"min_rows": 50}}``.
    """

    event_time: str | None = None
    scores: tuple[str, ...] = ()
    predicted: str | None = None
    label: str | None = None
    label_columns: tuple[str, ...] = ()
    label_time: str | None = None
    prediction_id: str | None = None
    classes: tuple[str, ...] = ()
    outputs: Mapping[str, OutputColumns] = field(default_factory=dict)
    task: TaskName | None = None
    inputs: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    group: str | None = None
    slices: tuple[str, ...] = ()
    class_slices: tuple[str, ...] = ()
    metrics: tuple[MetricDraft, ...] = ()
    quantile: float | None = None
    every: str = "1d"
    rows: int | None = None
    timezone: str = "UTC"
    naive_timezone: str = "UTC"
    format: TableFormat = AS_FILES_SHOW
    batches: BatchKey | None = None
    traffic: str | None = None
    dictionary: Mapping[str, ColumnSection] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def min_rows(self) -> int | None:
        """The rows that a window needs to be tested by itself, where the owner says so."""
        value = self.settings.get("windows", {}).get("min_rows")
        return value if isinstance(value, int) else None

    @property
    def times(self) -> str:
        """The column of event times, which the traffic has; or of batches' times, which the reader gives it."""
        if self.batches is not None:
            return BATCH_TIME
        return self.event_time or EVENT_TIME

    @property
    def answer_follows(self) -> bool:
        """Whether the predicted class is named besides scores, from which it follows."""
        return bool(self.scores) and self.predicted is not None and self.task not in ("regression", "ranking")

    @property
    def group_column(self) -> str | None:
        """The column of the group, as it is named or as the dictionary has it."""
        groups = (name for name, section in self._unnamed().items() if section.role == "group")
        return self.group or next(groups, None)

    @property
    def kinds(self) -> dict[str, str]:
        """Inputs by the kind that they are said to have; empty: one that is recognised."""
        named = self._named_inputs()
        kinds: dict[str, str] = {
            name: section.kind or ""
            for name, section in self._unnamed().items()
            if not section.is_left_out and (section.kind or section.role) and (name in named or not named)
        }
        return kinds | dict.fromkeys((*self.slices, *self.categorical), "category")

    @property
    def ignored(self) -> dict[str, str]:
        """Columns that are no inputs, with the reason."""
        reasons = {name: "ignored" for name, section in self._unnamed().items() if section.role == "ignored"}
        reasons |= dict.fromkeys(self.ignore, "ignored")
        if self.batches is not None and self.batches.column is not None:
            reasons |= {self.batches.column: "the batch"}
        reasons |= {} if self.group_column is None else {self.group_column: "the group"}
        return reasons | (
            {str(self.predicted): "the predicted class, as scores have it"} if self.answer_follows else {}
        )

    @property
    def other_columns(self) -> frozenset[str]:
        """Columns with another use than that of an input, by the names that they have or usually have."""
        usual = (self.times, self.prediction_id or "prediction_id", self.label or "label")
        more = (self.label_time or "label_time", *self.label_columns, *self.scores, *self.output_columns.values())
        return frozenset((*usual, *more, *(() if self.predicted is None else (self.predicted,))))

    @property
    def output_columns(self) -> dict[str, str]:
        """The columns of several outputs, by the options that name them."""
        pairs = (
            pair
            for output, output_description in self.outputs.items()
            for pair in output_description.options(output).items()
        )
        return dict(pairs)

    def _named_inputs(self) -> frozenset[str]:
        return frozenset((*self.inputs, *(word.rpartition(":")[0] for word in self.inputs))) - {""}

    def _unnamed(self) -> dict[str, ColumnSection]:
        """The entries of the dictionary for columns of which no other field says what they are, or only an input."""
        inputs = self._named_inputs()
        names = {*self.categorical, *self.slices, *self.ignore, self.group, *self.other_columns}
        return {
            name: section.model_copy(update={"role": None}) if name in inputs else section
            for name, section in self.dictionary.items()
            if name not in names
        }


def columns_named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `TableDescription` where several columns are named as the label or as what is predicted.

    A label by output is that of several outputs, whose answers and classes are named by output, too.

    >>> columns_named({"predicted": ("p_1", "p_2"), "label": ("y_1", "y_2")})
    {'scores': ('p_1', 'p_2'), 'task': 'regression', 'label_columns': ('y_1', 'y_2')}
    """
    result = dict(settings)
    if isinstance(result.get("label"), Mapping):
        rest = {key: value for key, value in result.items() if key not in ("label", "scores", "predicted", "classes")}
        return rest | {"outputs": outputs_named(result)}
    for key, several in (("predicted", "scores"), ("label", "label_columns")):
        if key not in result or result[key] is None or isinstance(result[key], str):
            continue
        names = tuple(result.pop(key))
        result |= {key: names[0]} if len(names) == 1 else {several: names}
        if key == "predicted" and len(names) > 1:
            result["task"] = result.get("task") or "regression"
    return result


def columns_described(
    pieces: tuple[LoadedPiece, ...], description: TableDescription
) -> tuple[TableColumns, dict[str, str]]:
    """What each column of a reference table means."""
    check_zone(description.naive_timezone)
    there = types_of(pieces)
    _check_answer(description)
    _check_names(there, description)
    _check_one_group(description)
    label = description.label or "label"
    sets, vectors = _sets_or_vectors(pieces, label, description)
    ranked = description.task == "ranking"
    columns = _named_columns(description, label)
    vectors = vectors or (description.task == "regression" and are_vectors(pieces, columns))
    if not sets and not vectors and not ranked and not columns.outputs:
        check_labels(pieces, label)
    if columns.event_time in there:
        check_label_times(pieces, columns)
    elif description.batches is None:
        _check_undated(pieces, columns, description)
    kinds, left_out = kinds_of(pieces, columns, description.inputs, description.kinds, description.ignored)
    inputs: dict[str, Kind] = {name: cast("Kind", kind) for name, kind in kinds.items() if kind in get_args(Kind)}
    others = {name: kind for name, kind in kinds.items() if name not in inputs}
    all_columns, undescribed = with_described(pieces, replace(columns, inputs=inputs), others)
    left_out |= undescribed
    if description.task == "inputs":
        _check_some_input(all_columns, left_out)
        return all_columns, left_out
    if all_columns.outputs:
        return with_outputs(pieces, all_columns, description.class_slices), left_out
    with_task = with_ranking if ranked else with_sets if sets else with_vectors if vectors else None
    if with_task is not None:
        return with_task(pieces, all_columns, description.classes, description.class_slices), left_out
    if (description.task or inferred_task(pieces, columns, description.classes)) == "regression":
        check_numbers(pieces, all_columns, description.classes, description.class_slices)
        return all_columns, left_out
    all_columns = replace(all_columns, classes=classes_of(pieces, columns, description.classes))
    check_scores(pieces, all_columns)
    return all_columns, left_out


def baseline_spec(columns: TableColumns) -> BaselineSpec:
    """What a table's columns say of its model: inputs and task, with no more than that fitted."""
    sources = {name: each.source for each in columns.described for name in each.kinds}
    return BaselineSpec(
        classes=columns.classes if columns.exclusive else (),
        features=tuple(
            FeatureSpec(name=name, kind=kind, source=sources.get(name, "")) for name, kind in columns.inputs.items()
        ),
        described=columns.described,
        has_probabilities=columns.predicted is None or not columns.classes,
        other_task=_task(columns),
    )


def _task(columns: TableColumns) -> Task | None:
    """The task that a table's columns tell of; None for one class a row."""
    if not columns.answer:
        return OutputsOnly(watched=())
    if not columns.exclusive:
        return Multilabel(classes=columns.classes)
    if columns.numbers:
        return VectorRegression.named(columns.numbers)
    task = columns.ranking or output_tasks(columns)
    return Regression() if task is None and not columns.classes else task


def _named_columns(description: TableDescription, label: str) -> TableColumns:
    """The columns that their owner names, without inputs; BadInput for those of a ranking that are not one column."""
    ranked = description.task == "ranking"
    if ranked:
        check_ranking_columns(description.scores, description.predicted)
    columns = TableColumns(
        event_time=description.times,
        prediction_id=description.prediction_id or "prediction_id",
        label=label,
        label_columns=description.label_columns,
        label_time=description.label_time or "label_time",
        naive_timezone=description.naive_timezone,
        format=description.format,
        batches=description.batches,
        scores=() if ranked else description.scores,
        id_scores=description.scores[0] if ranked and description.scores else None,
        predicted=None if description.answer_follows else description.predicted,
    )
    return named_outputs(columns, description.outputs)


def _check_some_input(columns: TableColumns, left_out: Mapping[str, str]) -> None:
    """Raises BadInput for a table of inputs alone that has none."""
    if not columns.inputs:
        others = ", ".join(f"{name} ({why})" for name, why in left_out.items())
        raise BadInput(
            "There is no input to watch.",
            got=f"no column that is one; left out: {others}" if others else "no column but ids and times",
            expected="numbers, categories, texts, dates or lists",
            fix="--features NAME:KIND declares an input that was left out.",
        )


def _check_answer(description: TableDescription) -> None:
    """Raises BadInput where no answer is named, unless inputs are watched alone, or where one is named beside that."""
    named = (*description.scores, *(() if description.predicted is None else (description.predicted,)))
    if description.task == "inputs" and named:
        raise BadInput(
            "Inputs are watched alone, without the model's answers.",
            got=f"--task inputs, and the answers {', '.join(named)}",
            expected="one of them",
            fix=f"Leave --task out, to watch the answers, too; or --ignore {','.join(named)}.",
        )
    if description.task != "inputs" and not named and not description.outputs:
        raise BadInput(
            "The columns of the model's answers are not named.",
            got="neither a score nor a predicted class",
            expected="one of them",
            fix="Use --score p, or --score a,b,c with one column per class, or --predicted answer; or --task inputs, "
            "to watch the inputs of a table without answers.",
        )


def _sets_or_vectors(pieces: tuple[LoadedPiece, ...], label: str, description: TableDescription) -> tuple[bool, bool]:
    """Whether labels are sets of classes, and whether they are several numbers."""
    if description.task is not None:
        return description.task == "multilabel", False
    several = holds_sets(pieces, label, description.label_columns)
    vectors = several or hold_texts_of_lists(pieces, label)
    vectors = vectors and hold_numbers(pieces, label, description.label_columns)
    return several and not vectors, vectors


def columns_to_come(there: Mapping[str, str], description: TableDescription) -> dict[str, str]:
    """Columns of ids and times that the reference does not have, and that the traffic may have."""
    named = {
        "--label-time": description.label_time,
        "--prediction-id": description.prediction_id,
        **({} if description.batches is not None else {"--event-time": description.times}),
    }
    return absent_columns(there, named)


def _check_names(there: Mapping[str, str], description: TableDescription) -> None:
    """Raises BadInput for a named column that is not there, unless it may come, and is not misspelt."""
    options = {
        "--predicted": description.predicted,
        "--label": description.label,
        **{f"--label {name}": name for name in description.label_columns},
        "--group": description.group,
        **{f"--score {name}": name for name in description.scores},
        **description.output_columns,
        **{f"--categorical {name}": name for name in description.categorical},
        **{f"--ignore {name}": name for name in description.ignore},
        **{f"--dictionary {name}": name for name in description.dictionary if name not in description.other_columns},
    }
    absent = absent_columns(there, options)
    to_come = columns_to_come(there, description)
    if description.event_time is None:
        to_come.pop("--event-time", None)
    absent |= {option: name for option, name in to_come.items() if get_close_matches(name, there, n=1)}
    if absent:
        near = dict.fromkeys(near for name in absent.values() for near in get_close_matches(name, there, n=1))
        raise BadInput(
            "There is no such column.",
            got=", ".join(f"{name} ({option.partition(' ')[0]})" for option, name in absent.items()),
            expected=f"some of {', '.join(there)[:300]}",
            fix="Several outputs have a label each: --label OUTPUT=COLUMN,OUTPUT=COLUMN."
            if any("=" in name for name in absent.values())
            else f"Did you mean {', '.join(near)}?"
            if near
            else spelling(there),
        )


def _check_one_group(description: TableDescription) -> None:
    """Raises BadInput where the dictionary's group is another column than the one that is named beside it."""
    groups = [name for name, section in description.dictionary.items() if section.role == "group"]
    others = [name for name in groups if name not in (description.group, *description.ignore)]
    if description.group is not None and others:
        raise BadInput(
            "There are two groups.",
            got=f"{description.group} (--group), and {others[0]} (--dictionary)",
            expected="one column that dependent rows share",
            fix=f'Leave one of them out, or write role = "ignored" for {others[0]}.',
        )


def _check_undated(pieces: tuple[LoadedPiece, ...], columns: TableColumns, description: TableDescription) -> None:
    """Raises BadInput for a reference without event times that has another column of times."""
    declared = (*description.ignored, *description.kinds, *description.inputs)
    times = time_columns(pieces, columns, declared)
    if times:
        raise BadInput(
            "The column of event times is not named.",
            got=f"no column {columns.event_time} (--event-time); "
            + ", ".join(f"{name} ({kind})" for name, kind in times.items()),
            expected="when each prediction was made",
            fix=f"Name it: --event-time {next(iter(times))}. If none is, the reference may do without: "
            f"--ignore {','.join(times)}.",
        )
