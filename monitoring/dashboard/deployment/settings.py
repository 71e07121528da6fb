"""The configuration in force: the settings that matter in words, and every setting of the config, without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from monitoring.config import MonitorConfig, RouteSection
from monitoring.config.action_section import ActionSection
from monitoring.config.addresses import redacted
from monitoring.config.section import Section
from monitoring.dashboard.view.table import TableView, cell
from monitoring.watches.descriptions import NOTHING, printable

#: In the place of the arguments of a program, which may hold a secret.
NO_ARGUMENTS = " (and arguments, which are not shown)"


def settings_of(config: MonitorConfig | None) -> tuple[tuple[str, str], ...]:
    """The settings of a config that its store does not have, as text; addresses with secrets are left out."""
    if config is None:
        return ()
    windows, traffic = config.windows, config.traffic
    cut = f"{windows.rows:,} rows" if windows.rows is not None else windows.every
    if windows.by_batch:
        cut = "each file" if windows.by_file else f"each value of {printable(windows.batch_column or '')}"
    return (
        ("Windows", f"{cut}, at least {windows.min_rows:,} rows, lateness {_length(windows.lateness)}"),
        ("Labels wait for", _length(windows.label_horizon)),
        ("Slices", printable(", ".join(traffic.slices)) or "none"),
        ("Tolerance", f"error {config.tolerance.error}, Brier {config.tolerance.brier or 'two standard errors'}"),
        ("Notified", ", ".join(route.route for route in config.notify) or "nobody"),
        ("Schedule", config.schedule.cron),
    )


def settings_table(config: MonitorConfig | None) -> TableView | None:
    """Every setting of a config, those that the file leaves out with their defaults.

    Returns:
        The table; of what may hold a secret only the host, or where it is kept. None without a config.
    """
    if config is None:
        return None
    return TableView(
        name="settings",
        title="Every setting",
        columns=("Setting", "Value", "From"),
        rows=tuple(
            (cell(printable(name), style="text"), cell(printable(text) or NOTHING, style="text"), cell(origin))
            for name, text, origin in _settings(config, "")
        ),
        note="As the config's file is now. Secrets are left out.",
    )


def _settings(section: Section, prefix: str) -> Iterator[tuple[str, str, str]]:
    """The name, the text and the origin of each setting of a section."""
    for name, field in type(section).model_fields.items():
        value, origin = getattr(section, name), "config" if name in section.model_fields_set else "default"
        if name == "columns":
            yield from ((f"{prefix}{name}.{column}", _entry(entry), origin) for column, entry in value.items())
            continue
        if isinstance(section, ActionSection) and name == "command" and value is not None:
            yield f"{prefix}{name}", value[0] + (NO_ARGUMENTS if value[1:] else ""), origin
            continue
        parts = [value] if isinstance(value, Section) else value if _is_sections(value) else None
        if parts is None:
            yield f"{prefix}{name}", _text(value, secret=not field.repr), origin
            continue
        for place, part in enumerate(parts, 1):
            called = f"{prefix}{name}." if isinstance(value, Section) else f"{prefix}{name} {place}."
            if isinstance(part, RouteSection):
                yield f"{called}route", part.redacted_address, origin
                yield f"{called}level", part.level, origin
                yield f"{called}states", ", ".join(part.states), origin
            else:
                yield from _settings(part, called)


def _entry(section: Section) -> str:
    """What a column's entry says."""
    return ", ".join(f"{key} = {value}" for key, value in section.model_dump(exclude_none=True).items())


def _is_sections(value: object) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Section) for item in value)


def _text(value: Any, *, secret: bool) -> str:
    if value is None or value in ((), {}):
        return NOTHING
    if isinstance(value, timedelta):
        return _length(value)
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(_text(item, secret=secret) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} = {_text(item, secret=secret)}" for name, item in value.items())
    text = str(value)
    if (secret or "://" in text) and not isinstance(value, PurePath):
        return redacted(text)
    return text


def _length(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"
