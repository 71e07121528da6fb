"""Flags that say what columns of a reference table are, of the verbs that make a baseline of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def with_column_roles(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add ``--categorical``, ``--ignore`` and ``--group`` to a verb. Goes below ``@click.command()``.

    Returns:
        The decorated verb.
    """
    categorical = click.option(
        "--categorical", default="", metavar="A,B", help="Inputs that are categories, such as codes of digits."
    )
    ignore = click.option("--ignore", default="", metavar="A,B", help="Columns that are no inputs.")
    group = click.option("--group", metavar="COLUMN", help="What dependent rows share, such as a customer; no input.")
    return categorical(ignore(group(verb)))


def split_columns(text: str) -> tuple[str, ...]:
    """Split names at commas; empty ones are left out.

    >>> split_columns("a, b,")
    ('a', 'b')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())
