"""What the owner of a table of predictions says of it, and the columns that this means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias, cast, get_args

import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.profile import MAX_CATEGORIES
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import ColumnSection, MetricDraft, MonitorConfig, TrafficSection, WindowsSection
from monitoring.config.table_section import columns_named
from monitoring.config.template import Settings, check_settings, settings_named
from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import Task, TaskName
from monitoring.tasks.vector_regression import VectorRegression
from monitoring.traffic.cells import as_strings
from monitoring.traffic.tables.columns import Kind, TableColumns, named_columns
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
from monitoring.traffic.tables.tasks.class_sets import holds_sets, with_sets
from monitoring.traffic.tables.tasks.number_vectors import are_vectors, hold_numbers, hold_texts_of_lists, with_vectors
from monitoring.traffic.tables.tasks.numbers import check_numbers, inferred_task
from monitoring.traffic.tables.tasks.outputs import output_tasks, outputs_named, with_outputs
from monitoring.traffic.tables.tasks.rankings import check_ranking_columns, with_ranking


@dataclass(frozen=True, kw_only=True)
class TableDescription:
    """What the owner of a table of predictions says of it: settings of its config, and what a baseline is made by.

    Attributes:
        settings: by section, as `monitor.toml` has them; a column that is not named has its usual name.
        task: "classification", "multilabel" (any of several classes), "regression", "ranking" (lists of ids, best
            first) or "inputs" (no answers, inputs alone); None: as labels and answers are, and none of the last two.
        inputs: columns, or NAME:KIND; empty: all columns that nothing else is made of.
        output_classes: the classes of each of several outputs, in the order of its scores; none: as the table has them.
        follows: the column of the predicted class, where scores say it.
    """

    settings: Settings = field(default_factory=dict)
    task: TaskName | None = None
    inputs: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    group: str | None = None
    output_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    follows: str | None = None
    dictionary: Mapping[str, ColumnSection] = field(default_factory=dict)

    @cached_property
    def config(self) -> MonitorConfig:
        """The settings as the sections that they are."""
        model = {"baseline": "baseline", **self.settings.get("model", {})}
        return check_settings({"traffic": {}, **self.settings, "model": model}, Path())

    @property
    def traffic(self) -> TrafficSection:
        """The columns, and how files are written."""
        return self.config.traffic

    @property
    def windows(self) -> WindowsSection:
        """How rows are cut into windows."""
        return self.config.windows

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the scores; empty: as the table has them."""
        return self.config.model.classes

    @property
    def min_rows(self) -> int | None:
        """The rows that a window needs to be tested by itself, where the owner says so."""
        return self.windows.min_rows if "min_rows" in self.windows.model_fields_set else None

    def changed(self, section: str, **values: Any) -> TableDescription:
        """The description with other settings of a section; those of None are not said."""
        merged = {**self.settings.get(section, {}), **values}
        said = {key: value for key, value in merged.items() if value is not None}
        return replace(self, settings={**self.settings, section: said})

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
        return kinds | dict.fromkeys((*self.traffic.slices, *self.categorical), "category")

    @property
    def ignored(self) -> dict[str, str]:
        """Columns that are no inputs, with the reason."""
        reasons = {name: "ignored" for name, section in self._unnamed().items() if section.role == "ignored"}
        reasons |= dict.fromkeys(self.ignore, "ignored")
        others = {
            self.windows.batch_column: "the batch",
            self.group_column: "the group",
            self.follows: "the predicted class, as scores have it",
        }
        return reasons | {name: reason for name, reason in others.items() if name is not None}

    @property
    def other_columns(self) -> frozenset[str]:
        """Columns with another use than that of an input, by the names that they have or usually have."""
        traffic = self.traffic
        return frozenset((*named_columns(self.config).mapped, traffic.label, *filter(None, [self.follows])))

    @property
    def output_columns(self) -> dict[str, str]:
        """The columns of several outputs, by the options that name them."""
        options: dict[str, str] = {}
        for name, output in self.traffic.outputs.items():
            options |= {f"--label {name}": output.label} | {f"--score {name} {each}": each for each in output.scores}
            options |= {} if output.predicted is None else {f"--predicted {name}": output.predicted}
        return options

    def _named_inputs(self) -> frozenset[str]:
        return frozenset((*self.inputs, *(word.rpartition(":")[0] for word in self.inputs))) - {""}

    def _unnamed(self) -> dict[str, ColumnSection]:
        """The entries of the dictionary for columns of which no other field says what they are, or only an input."""
        inputs = self._named_inputs()
        names = {*self.categorical, *self.traffic.slices, *self.ignore, self.group, *self.other_columns}
        return {
            name: section.model_copy(update={"role": None}) if name in inputs else section
            for name, section in self.dictionary.items()
            if name not in names
        }


#: What a description says besides settings, and what is named by output where there are several.
_REFERENCE = ("inputs", "categorical", "ignore", "group")
_OF_OUTPUTS = ("label", "scores", "predicted", "classes")


def described(
    *,
    task: TaskName | None = None,
    metrics: Sequence[MetricDraft] = (),
    dictionary: Mapping[str, ColumnSection] | None = None,
    settings: Settings | None = None,
    **named: Any,
) -> TableDescription:
    """The description of a table by names: those of settings, and of what a baseline is made by.

    >>> settings = described(predicted=("p_1", "p_2"), label=("y_1", "y_2"), every="6h").settings
    >>> settings["traffic"]["scores"], settings["traffic"]["label_columns"], settings["windows"]
    (('p_1', 'p_2'), ('y_1', 'y_2'), {'every': '6h'})

    Args:
        settings: Other settings by section; they win.
        named: Settings of `[traffic]`, `[windows]`, `[model]` and `[baseline]` by their keys, and the names of
            `TableDescription`. None and what is empty is not said. `label` and `predicted` may be several columns; a
            label by output is that of several outputs, whose `scores`, `predicted` and `classes` are by output, too.
    """
    said = {name: value for name, value in named.items() if value not in (None, "", (), {})}
    more: dict[str, Any] = {name: said.pop(name) for name in _REFERENCE if name in said}
    if isinstance(said.get("label"), Mapping):
        outputs = outputs_named({"task": task, **{name: said.pop(name, None) for name in _OF_OUTPUTS}})
        more["output_classes"] = {name: output.pop("classes") for name, output in outputs.items()}
        said["outputs"] = outputs
    said, task = _with_several(said, task)
    if task == "ranking" and said.get("scores"):
        check_ranking_columns(said["scores"], said.get("predicted"))
        said["id_scores"] = said.pop("scores")[0]
    elif said.get("scores") and task != "regression":
        more["follows"] = said.pop("predicted", None)
    sections = settings_named(said)
    if metrics:
        sections["metric"] = [metric.settings for metric in metrics]
    for name, values in (settings or {}).items():
        sections[name] = {**sections.get(name, {}), **values} if isinstance(values, Mapping) else values
    return TableDescription(settings=sections, task=task, dictionary=dictionary or {}, **more)


def _with_several(said: Mapping[str, Any], task: TaskName | None) -> tuple[dict[str, Any], TaskName | None]:
    """Names where several columns are the label, or what is predicted, under the settings that these have."""
    result = dict(said)
    for key, several in (("predicted", "scores"), ("label", "label_columns")):
        if key not in result or isinstance(result[key], str):
            continue
        names = tuple(result.pop(key))
        result |= {key: names[0]} if len(names) == 1 else {several: names}
        if key == "predicted" and len(names) > 1:
            task = task or "regression"
    return result, task


def columns_described(
    pieces: tuple[LoadedPiece, ...], description: TableDescription
) -> tuple[TableColumns, dict[str, str]]:
    """What each column of a reference table means."""
    there = types_of(pieces)
    _check_answer(description)
    _check_names(there, description)
    _check_roles(description)
    _check_one_group(description)
    label, class_slices = description.traffic.label, description.traffic.class_slices
    sets, vectors = _sets_or_vectors(pieces, label, description)
    ranked = description.task == "ranking"
    columns = named_columns(description.config, of_outputs=description.output_classes)
    vectors = vectors or (description.task == "regression" and are_vectors(pieces, columns))
    if not sets and not vectors and not ranked and not columns.outputs:
        check_labels(pieces, label)
    if columns.event_time in there:
        check_label_times(pieces, columns)
    elif columns.batches is None:
        _check_undated(pieces, columns, description)
    kinds, left_out = kinds_of(pieces, columns, description.inputs, description.kinds, description.ignored)
    inputs: dict[str, Kind] = {name: cast("Kind", kind) for name, kind in kinds.items() if kind in get_args(Kind)}
    others = {name: kind for name, kind in kinds.items() if name not in inputs}
    all_columns, undescribed = with_described(pieces, columns.replaced(inputs=inputs), others)
    left_out |= undescribed
    if description.task == "inputs":
        _check_some_input(all_columns, left_out)
        return all_columns, left_out
    if all_columns.outputs:
        return with_outputs(pieces, all_columns, class_slices), left_out
    with_task = with_ranking if ranked else with_sets if sets else with_vectors if vectors else None
    if with_task is not None:
        return with_task(pieces, all_columns, description.classes, class_slices), left_out
    if (description.task or inferred_task(pieces, columns, description.classes)) == "regression":
        check_numbers(pieces, all_columns, description.classes, class_slices)
        return all_columns, left_out
    all_columns = all_columns.replaced(classes=classes_of(pieces, columns, description.classes))
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
    columns = named_columns(description.config)
    named = () if description.traffic.outputs else columns.answer
    if description.task == "inputs" and named:
        raise BadInput(
            "Inputs are watched alone, without the model's answers.",
            got=f"--task inputs, and the answers {', '.join(named)}",
            expected="one of them",
            fix=f"Leave --task out, to watch the answers, too; or --ignore {','.join(named)}.",
        )
    if description.task != "inputs" and not columns.answer:
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
    label_columns = description.traffic.label_columns
    several = holds_sets(pieces, label, label_columns)
    vectors = several or hold_texts_of_lists(pieces, label)
    vectors = vectors and hold_numbers(pieces, label, label_columns)
    return several and not vectors, vectors


def columns_to_come(there: Mapping[str, str], description: TableDescription) -> dict[str, str]:
    """Columns of ids and times that the reference does not have, and that the traffic may have."""
    named = {
        "--label-time": description.traffic.named("label_time"),
        "--prediction-id": description.traffic.named("prediction_id"),
        **({} if description.windows.by_batch else {"--event-time": description.traffic.event_time}),
    }
    return absent_columns(there, named)


#: The settings of columns that traffic may have and the reference not, and those whose flags are not their keys.
_TO_COME = ("event_time", "prediction_id", "label_time")
_FLAGS = {"label_columns": "--label", "scores": "--score", "id_scores": "--score"}


def _check_names(there: Mapping[str, str], description: TableDescription) -> None:
    """Raises BadInput for a named column that is not there, unless it may come, and is not misspelt."""
    traffic = description.traffic
    named = (each for each in columns_named(traffic) if each[0] in traffic.model_fields_set and each[0] not in _TO_COME)
    options = {
        **{f"{_FLAGS.get(key, f'--{key}').replace('_', '-')} {name}": name for key, name, _ in named},
        "--predicted": description.follows,
        "--group": description.group,
        **description.output_columns,
        **{f"--categorical {name}": name for name in description.categorical},
        **{f"--ignore {name}": name for name in description.ignore},
        **{f"--dictionary {name}": name for name in description.dictionary if name not in description.other_columns},
    }
    absent = absent_columns(there, options)
    to_come = columns_to_come(there, description)
    if description.traffic.named("event_time") is None:
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


#: The option that names a column, by column; None of a role without one.
Roles: TypeAlias = dict[str | None, str]


def _check_roles(description: TableDescription) -> None:
    """Raises BadInput for a column that is both an answer and the label, or one of these and an id or a time."""
    traffic = description.traffic
    if traffic.outputs:
        return
    answers: Roles = {traffic.predicted: "--predicted", traffic.id_scores: "--score"}
    answers |= dict.fromkeys(traffic.scores, "--score")
    labels: Roles = dict.fromkeys(traffic.label_columns or (traffic.label,), "--label")
    others: Roles = {traffic.prediction_id: "--prediction-id", traffic.event_time: "--event-time"}
    for first, second in combinations((answers, labels, others), 2):
        if both := [name for name in first if name is not None and name in second]:
            raise BadInput(
                "One column has two roles.",
                got=f"{first[both[0]]} {both[0]} and {second[both[0]]} {both[0]}",
                expected="a column of its own for each role",
                fix=f"Name another column with {first[both[0]]}, or leave it out.",
            )


def check_slices(pieces: Sequence[LoadedPiece], description: TableDescription) -> None:
    """Raises BadInput for a slice by a column of numbers, or of ids, that is not declared a category."""
    declared = {*description.categorical} | {
        name for name, section in description.dictionary.items() if section.kind == "category"
    }
    for name in description.traffic.slices:
        cells = [piece.raw.columns()[name] for piece in pieces if name in piece.raw.table.column_names]
        if name in declared or not cells or any(pa.types.is_nested(column.type) for column in cells):
            continue  # a list is no category: its kind is checked where it is read
        values = pc.unique(pa.chunked_array([as_strings(column).cast(pa.large_string()) for column in cells]))
        if len(values) > MAX_CATEGORIES:
            raise BadInput(
                "A slice is a value of a column, and this column has too many.",
                got=f"--slices {name}, of {len(values):,} values",
                expected=f"at most {MAX_CATEGORIES}",
                fix=f"Make a column of groups, such as ranges of {name}, and slice by that; or declare it a category, "
                f"--categorical {name}: its {MAX_CATEGORIES} commonest values are watched.",
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
