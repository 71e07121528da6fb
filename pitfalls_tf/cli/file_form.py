"""Flags that say how a table's files are written, of the verbs that read one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitoring.traffic.tables.table_format import TableFormat

FORMAT_FLAGS = ("separator", "decimal", "day_first", "sheet")

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


def with_table_format(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add ``--separator``, ``--decimal``, ``--day-first`` and ``--sheet``; below ``@click.command()``.

    Returns:
        The decorated verb.
    """
    separator = click.option(
        "--separator",
        type=click.Choice(tuple(_SEPARATORS)),
        help="Between the fields of CSV files.  [default: as the header shows]",
    )
    decimal = click.option(
        "--decimal",
        type=click.Choice(("point", "comma")),
        help="Before the decimals of CSV files.  [default: as the columns show]",
    )
    day_first = click.option(
        "--day-first/--month-first",
        default=None,
        help="Whether 03/04/2025 is the third of April.  [default: as the dates show]",
    )
    sheet = click.option("--sheet", metavar="NAME", help="The sheet of Excel files.  [default: the first]")
    return separator(decimal(day_first(sheet(verb))))


def table_format(flags: Mapping[str, Any]) -> TableFormat:
    """What the flags say."""
    from monitoring.traffic.tables.table_format import TableFormat  # noqa: PLC0415 - loads Arrow

    decimals: Mapping[str, Any] = {"point": ".", "comma": ","}
    separators: Mapping[str, Any] = _SEPARATORS
    return TableFormat(
        separator=separators.get(flags["separator"]),
        decimal=decimals.get(flags["decimal"]),
        day_first=flags["day_first"],
        sheet=flags["sheet"],
    )
