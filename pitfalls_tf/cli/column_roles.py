"""Flags that say what columns of a reference table are, of the verbs that make a baseline of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitoring.config import ColumnSection


def with_column_roles(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add ``--categorical``, ``--ignore``, ``--group`` and ``--dictionary``; below ``@click.command()``.

    Returns:
        The decorated verb.
    """
    categorical = click.option(
        "--categorical", default="", metavar="A,B", help="Inputs that are categories, such as codes of digits."
    )
    ignore = click.option("--ignore", default="", metavar="A,B", help="Columns that are no inputs.")
    group = click.option("--group", metavar="COLUMN", help="What dependent rows share, such as a customer; no input.")
    dictionary = click.option(
        "--dictionary",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="TOML with [columns], such as an earlier monitor.toml: kinds, roles, units; flags beside it win.",
    )
    return categorical(ignore(group(dictionary(verb))))


def split_columns(text: str) -> tuple[str, ...]:
    """Split names at commas; empty ones are left out.

    >>> split_columns("a, b,")
    ('a', 'b')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


def dictionary_of(path: Path | None) -> dict[str, ColumnSection]:
    """The data dictionary that ``--dictionary`` names; empty without one."""
    from monitoring.config import read_dictionary  # noqa: PLC0415 - not needed for --help

    return {} if path is None else read_dictionary(path)
