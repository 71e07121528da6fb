"""Flags that say how a table's files are written, of the verbs that read one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_DECIMALS = {"point": ".", "comma": ","}


def with_table_format(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add ``--separator``, ``--decimal``, ``--day-first`` and ``--sheet``; below ``@click.command()``.

    Returns:
        The decorated verb, which gets the settings of these names.
    """
    separator = click.option(
        "--separator",
        type=click.Choice(tuple(_SEPARATORS)),
        callback=_mark_of(_SEPARATORS),
        help="Between the fields of CSV files.  [default: as the header shows]",
    )
    decimal = click.option(
        "--decimal",
        type=click.Choice(tuple(_DECIMALS)),
        callback=_mark_of(_DECIMALS),
        help="Before the decimals of CSV files.  [default: as the columns show]",
    )
    day_first = click.option(
        "--day-first/--month-first",
        default=None,
        help="Whether 03/04/2025 is the third of April.  [default: as the dates show]",
    )
    sheet = click.option("--sheet", metavar="NAME", help="The sheet of Excel files.  [default: the first]")
    return separator(decimal(day_first(sheet(verb))))


def _mark_of(marks: Mapping[str, str]) -> Callable[[click.Context, click.Parameter, Any], str | None]:
    return lambda _context, _parameter, name: marks.get(name)
