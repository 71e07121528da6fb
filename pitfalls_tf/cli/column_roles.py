"""Flags that say what columns of a reference table are, of the verbs that make a baseline of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitoring.config import ColumnSection


class ColumnNames(click.ParamType["tuple[str, ...]"]):
    """Names separated by commas; empty ones are left out.

    >>> COLUMNS.convert("a, b,", None, None)
    ('a', 'b')
    """

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """See `click.ParamType`."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


COLUMNS = ColumnNames()


def joined(_context: click.Context, _parameter: click.Parameter, value: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The names of a flag that may be repeated."""
    return tuple(name for names in value for name in names)


def with_column_roles(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add ``--categorical``, ``--ignore``, ``--group`` and ``--dictionary``; below ``@click.command()``."""
    categorical = click.option(
        "--categorical", type=COLUMNS, metavar="A,B", help="Inputs that are categories, such as codes of digits."
    )
    ignore = click.option("--ignore", type=COLUMNS, metavar="A,B", help="Columns that are no inputs.")
    group = click.option("--group", metavar="COLUMN", help="What dependent rows share, such as a customer; no input.")
    dictionary = click.option(
        "--dictionary",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="TOML with [columns], such as an earlier monitor.toml: kinds, roles, units; flags beside it win.",
    )
    return categorical(ignore(group(dictionary(verb))))


def named_columns(columns: Mapping[str, tuple[str, ...] | None]) -> dict[str, Any]:
    """Columns of labels, answers and classes: of one output, or where labels are OUTPUT=COLUMN by output.

    >>> named_columns({"label": ("kind=was", "price=paid"), "scores": ("kind=p_a", "p_b")})
    {'label': {'kind': ('was',), 'price': ('paid',)}, 'scores': {'kind': ('p_a', 'p_b')}}
    >>> named_columns({"label": ("y",), "scores": ("a=b",), "predicted": None})
    {'label': ('y',), 'scores': ('a=b',)}

    Args:
        columns: Words by what they name. A word without an output is of the one before.

    Returns:
        Those that are there; as they are, or by output where the first word has one.
    """
    there = {key: words for key, words in columns.items() if words}
    if not there.get("label") or "=" not in there["label"][0]:
        return there
    return {key: _by_output(words) if "=" in words[0] else words for key, words in there.items()}


def _by_output(words: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    names_by_output: dict[str, tuple[str, ...]] = {}
    output = ""
    for word in words:
        before, equals, after = word.partition("=")
        output, name = (before.strip(), after.strip()) if equals else (output, word)
        names_by_output[output] = (*names_by_output.get(output, ()), *([name] if name else []))
    return names_by_output


def dictionary_of(path: Path | None) -> dict[str, ColumnSection]:
    """The data dictionary that ``--dictionary`` names; empty without one."""
    from monitoring.config import read_dictionary  # noqa: PLC0415 - not needed for --help

    return {} if path is None else read_dictionary(path)
