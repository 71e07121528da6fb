"""The data dictionary of a config: made of what a table was taken for, held against a baseline, shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from monitoring.baseline.spec import BaselineSpec
from monitoring.config import ColumnSection, MonitorConfig
from monitoring.errors import BadInput
from monitoring.records import ColumnNote
from monitoring.traffic.column_roles import ColumnRole

#: Tables of more columns have entries in their config only for the columns that the dictionary names.
MOST_COLUMNS: Final = 5_000

#: Contradictions that a message has.
_SHOWN = 5


def recorded_columns(
    roles: Sequence[ColumnRole], sections: Mapping[str, ColumnSection], *, group: str | None, answer: str | None
) -> dict[str, ColumnSection]:
    """The data dictionary of a table's config: what each column was taken for, and what its owner says of it.

    Args:
        answer: The column of the predicted class, which may have been left out where scores say it.

    Returns:
        Inputs with their kinds, other columns without another use as ignored or the group, each with its unit and
        description; of columns with another use, such as the label, these alone. Of more than `MOST_COLUMNS` only those
        that the owner's dictionary has.
    """
    entries = {}
    for role in roles:
        section = sections.get(role.name)
        if not role.name or (section is None and len(roles) > MOST_COLUMNS):
            continue
        words = {} if section is None else {"unit": section.unit, "description": section.description}
        if role.role == "input":
            entry = ColumnSection.model_validate({"kind": role.kind, **words})
        elif role.role == "left out" and role.name != answer:
            entry = ColumnSection.model_validate({"role": "group" if role.name == group else "ignored", **words})
        else:
            entry = ColumnSection.model_validate(words)
        if entry != ColumnSection():
            entries[role.name] = entry
    return entries


def with_words(roles: Sequence[ColumnRole], sections: Mapping[str, ColumnSection]) -> tuple[ColumnRole, ...]:
    """Columns with the units and descriptions of a data dictionary."""
    notes = _notes(sections)
    pairs = ((role, notes.get(role.name, ColumnNote())) for role in roles)
    return tuple(replace(role, unit=note.unit, description=note.description) for role, note in pairs)


def column_notes(config: MonitorConfig | None) -> dict[str, ColumnNote]:
    """The units and descriptions of a config's columns by their names; none without a config."""
    return {} if config is None else _notes(config.columns)


def _notes(sections: Mapping[str, ColumnSection]) -> dict[str, ColumnNote]:
    return {
        name: ColumnNote(unit=section.unit or "", description=section.description or "")
        for name, section in sections.items()
        if section.unit or section.description
    }


def check_columns(config: MonitorConfig, spec: BaselineSpec) -> None:
    """Check that the data dictionary of a config says of no column anything else than the baseline.

    Columns that the [traffic] section names are what it says. Of a bundle, whose versions may have other inputs, only
    entries of inputs of this version are checked.
    """
    wrong = list(_contradictions(config, spec))
    if wrong:
        more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise BadInput(
            "The [columns] section is not that of the baseline.",
            got="; ".join(wrong[:_SHOWN]) + more,
            expected="the kinds and roles that the columns had when the baseline was made",
            fix="Change the section, or make the baseline again: `pitfalls monitor init --force --dictionary "
            "monitor.toml` and the flags of before, or by exporting the model.",
        )


def _contradictions(config: MonitorConfig, spec: BaselineSpec) -> Iterator[str]:
    inputs = {feature.name: feature.kind for feature in spec.features} | {
        descriptor.source: descriptor.kind for descriptor in spec.described
    }
    tensors = () if spec.embedding is None else spec.embedding.tensors
    names = {*inputs, *tensors, *(name for name, _ in spec.columns)}
    # the columns that the [traffic] section names; of a bundle none, whose log has names of its own
    mapped = frozenset() if config.model.baseline is None else config.traffic.columns
    for name, section in config.columns.items():
        if name in mapped:
            continue
        if name in inputs or name in tensors:
            if section.is_left_out:
                yield f'{name}: role = "{section.role}", and it is an input'
            elif section.kind is not None and name in inputs and section.kind != inputs[name]:
                yield f'{name}: kind = "{section.kind}", and it is a {inputs[name]}'
        elif spec.columns and name not in names:
            yield f"{name}: no such column{_nearest(name, names)}"
        elif spec.columns and not section.is_left_out and (section.kind is not None or section.role is not None):
            yield f"{name}: {_setting_text(section)}, and it is no input"


def _setting_text(section: ColumnSection) -> str:
    return f'role = "{section.role}"' if section.kind is None else f'kind = "{section.kind}"'


def _nearest(name: str, names: set[str]) -> str:
    """What a misspelt name may mean, as the end of a sentence; empty where nothing is near."""
    close = get_close_matches(name, sorted(names), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
