"""Which inputs a baseline watches: scalars as they are, texts and images by descriptors, and no ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.predictions import microseconds
from monitoring.baseline.spec import FeatureSpec
from monitoring.config import ColumnSection
from monitoring.errors import BadInput
from monitoring.traffic.cells import as_strings, decoded, is_list
from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.descriptors.descriptors import Descriptors
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors, begin_as_images, blank_images
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.descriptors.language import can_tell_languages
from monitoring.traffic.descriptors.registry import described_inputs
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.descriptors.vector import tensor_as_vector
from monitoring.traffic.value_kinds import is_id_name, why_no_input
from serving.export.inputs.input_arrays import MISSING_CATEGORY
from serving.export.inputs.model_inputs import ModelInput

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRoles:
    """What the owner of a reference table says of its columns."""

    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    group: str | None = None
    dictionary: Mapping[str, ColumnSection] = field(default_factory=dict)

    def with_dictionary(
        self, inputs: Sequence[str], columns: Sequence[str], outputs: Sequence[str] = ()
    ) -> DeclaredRoles:
        """The roles with those of the dictionary; kinds other than a category are the model's own."""
        all_names = {*inputs, *columns, *outputs}
        absent = [name for name in self.dictionary if name not in all_names]
        if absent:
            close = dict.fromkeys(near for name in absent for near in get_close_matches(name, sorted(all_names), n=1))
            raise BadInput(
                "The data dictionary has a column that is not there.",
                got=", ".join(absent)[:300],
                expected=f"some of {', '.join(dict.fromkeys((*inputs, *columns, *outputs)))[:300]}",
                fix=f"Did you mean {', '.join(close)}?" if close else "Check the spelling.",
            )
        named = {*self.categorical, *self.ignore, self.group}
        left = {name: section for name, section in self.dictionary.items() if name not in named}
        groups = [
            *([] if self.group is None else [self.group]),
            *(n for n, section in left.items() if section.role == "group"),
        ]
        if len(groups) > 1:
            raise BadInput(
                "There are two groups.",
                got=f"{groups[0]} (--group), and {groups[1]} (--dictionary)",
                expected="one column that dependent rows share",
                fix=f'Leave one of them out, or write role = "ignored" for {groups[1]}.',
            )
        more = (
            name
            for name, section in left.items()
            if name in inputs and section.kind == "category" and not section.is_left_out
        )
        unwatched = (n for n, section in left.items() if section.role == "ignored" and (n in inputs or n in outputs))
        return DeclaredRoles(
            categorical=(*self.categorical, *more),
            ignore=(*self.ignore, *unwatched),
            group=groups[0] if groups else None,
        )

    def check(self, inputs: Sequence[str], columns: Sequence[str], outputs: Sequence[str] = ()) -> None:
        """Check the names.

        Raises:
            BadInput: a name is none of them, or an input is declared to be two things.
        """
        ignored = tuple(name for name in self.ignore if name not in outputs)
        options = {"--categorical": self.categorical, "--ignore": ignored}
        absent = {name: option for option, names in options.items() for name in names if name not in inputs}
        available = inputs
        if not absent and self.group is not None and self.group not in columns:
            absent, available = {self.group: "--group"}, columns
        if absent:
            close = [near for name in absent for near in get_close_matches(name, available, n=1)]
            raise BadInput(
                "There is no such column."
                if available is columns
                else "The model has no such input of one value a row.",
                got=", ".join(f"{name} ({option})" for name, option in absent.items()),
                expected=f"some of {', '.join(available)[:300]}",
                fix=f"Did you mean {', '.join(close)}?" if close else "Check the spelling.",
            )
        both = sorted({*self.categorical} & {*self.ignore, *((self.group,) if self.group else ())})
        if both:
            raise BadInput(
                "An input is declared to be two things.",
                got=f"{', '.join(both)}: a category, and not watched",
                expected="one of the two",
                fix="Leave it out of --categorical, or out of --ignore and --group.",
            )


NOTHING_DECLARED = DeclaredRoles()


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRoles:
    """The inputs that a baseline watches, and the columns that are left out of the bundle, with the reason.

    `described` is what describes inputs by some of the `features`: texts, which no file of the bundle has, and images.
    `groups` is the group of each row of the table as it was read; None without one.
    """

    features: tuple[FeatureSpec, ...]
    left_out: tuple[ColumnRole, ...] = ()
    described: tuple[Descriptors, ...] = ()
    groups: pa.Array | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """A sentence on what is described, and one on what is left out; none where nothing is."""
        sentences = tuple(
            f"{each.source} is watched by what describes each {each.kind}: {', '.join(each.kinds)}."
            f"{' No file of the bundle has its texts.' if each.kind == 'text' else ''}"
            for each in self.described
        )
        if not self.left_out:
            return sentences
        text = [omission.name for omission in self.left_out if omission.why.startswith("an id")]
        how = f" To watch and keep it all the same: --categorical {','.join(text)}." if text else ""
        return (*sentences, f"Not watched, and in no file of the bundle: {', '.join(map(str, self.left_out))}.{how}")

    def describe(self, table: pa.Table) -> pa.Table:
        """A matched reference with the columns that describe others of it."""
        texts = {each.source for each in self.described if each.kind == "text"}
        columns = {name: pa.chunked_array([_scalars(table[name])]) for name in texts}
        columns |= {each.source: table[each.source] for each in self.described if each.source not in texts}
        inputs, _ = described_inputs(self.described, columns, _event_us(table))
        for name, column in inputs.items():
            table = table.append_column(name, column)
        return table

    def without_raw(self, inputs: Sequence[ModelInput], rows: Mapping[str, Array]) -> dict[str, Array]:
        """Sampled rows as a bundle may keep them: unwatched texts empty, images grey, numbers left out zero."""
        watched = {feature.name for feature in self.features}
        gone = {omission.name for omission in self.left_out}
        encoded = {name for name, values in rows.items() if begin_as_images(values.reshape(-1).tolist())}
        result = dict(rows)
        for model_input in inputs:
            if model_input.dtype == "string" and model_input.name not in watched and model_input.name in encoded:
                blank = blank_images(rows[model_input.name].reshape(-1).tolist())
                result[model_input.name] = np.array(blank, dtype=object).reshape(rows[model_input.name].shape)
            elif model_input.dtype == "string" and model_input.name not in watched:
                result[model_input.name] = np.full(rows[model_input.name].shape, MISSING_CATEGORY.encode(), object)
            elif model_input.name in gone:
                result[model_input.name] = np.zeros_like(rows[model_input.name])
        return result


def input_roles(
    table: pa.Table | None,
    inputs: Sequence[ModelInput],
    declared: DeclaredRoles = NOTHING_DECLARED,
    groups: pa.ChunkedArray[Any] | None = None,
) -> InputRoles:
    """Find the roles of a model's inputs. `table`: the matched reference table; None if there is none."""
    features: list[FeatureSpec] = []
    left_out: list[ColumnRole] = []
    described: list[Descriptors] = []
    for model_input in inputs:
        if model_input.shape:
            tensor = None if table is None or model_input.name in declared.ignore else _described(model_input, table)
            described += [] if tensor is None else [tensor]
            continue
        encoded = None
        if table is not None and model_input.dtype == "string" and model_input.name in table.column_names:
            encoded = EncodedImageDescriptors.of_column(model_input.name, _scalars(table[model_input.name]))
        if encoded is not None and model_input.name not in declared.ignore:
            described.append(encoded)
            continue
        why = (
            "ignored"
            if model_input.name in declared.ignore
            else "the group"
            if model_input.name == declared.group
            else ""
        )
        is_category = model_input.name in declared.categorical
        if not why and not is_category and table is not None and model_input.name in table.column_names:
            why = _why_no_input(model_input, table[model_input.name])
        if why.startswith("free text") and table is not None:
            cells = [(_scalars(table[model_input.name]), _event_us(table))]
            described.append(TextDescriptors.fit(model_input.name, cells, language=can_tell_languages()))
        elif why:
            left_out.append(ColumnRole(name=model_input.name, role="left out", why=why))
        elif is_category:
            features.append(FeatureSpec(name=model_input.name, kind="category", is_code=model_input.kind == "number"))
        else:
            features.append(FeatureSpec(name=model_input.name, kind=model_input.kind))
    inputs_named = {model_input.name for model_input in inputs}
    outputs = [name for name in declared.ignore if name not in inputs_named]
    left_out += [ColumnRole(name=name, role="left out", why="ignored") for name in outputs]
    texts = None if groups is None else as_strings(decoded(groups)).cast(pa.large_string())
    names = {feature.name for feature in features}
    descriptors = tuple(each for each in described if not names & each.kinds.keys())
    features += [
        FeatureSpec(name=name, kind=kind, source=each.source)
        for each in descriptors
        for name, kind in each.kinds.items()
    ]
    return InputRoles(features=tuple(features), left_out=tuple(left_out), described=descriptors, groups=texts)


def _described(model_input: ModelInput, table: pa.Table) -> Descriptors | None:
    """What describes the rows of a tensor: an image, or a vector of not too many numbers; None for others."""
    name, shape = model_input.name, model_input.shape
    if model_input.kind != "number":
        return None
    image = ImageDescriptors.of_tensor(name, shape)
    return image or (tensor_as_vector(name, shape, table[name].chunks) if name in table.column_names else None)


def _scalars(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """The cells, or the first of each where a cell is a list of one."""
    cells = decoded(column)
    return pc.list_element(cells, 0) if is_list(cells.type) else cells


def _event_us(table: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """When each row happened, in microseconds, or where none says so its place."""
    if "event_time" not in table.column_names:
        return np.arange(table.num_rows)
    return microseconds(table["event_time"])


def _why_no_input(model_input: ModelInput, column: pa.ChunkedArray[Any]) -> str:
    cells = _scalars(column)
    if model_input.kind == "number" and not (pa.types.is_integer(cells.type) and is_id_name(model_input.name)):
        return ""
    return why_no_input(as_strings(cells).cast(pa.large_string()))
