"""Groups of options that a verb receives as one record."""

from __future__ import annotations

from dataclasses import dataclass

import click
from click.testing import CliRunner

from pitfalls_tf.cli.serve.option_groups import option_group


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Two flags."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ink:
    """One flag."""

    colour: str


size = option_group("size", Size, (click.option("--width", type=int, default=1), click.option("--height", default=2)))
ink = option_group("ink", Ink, (click.option("--colour", default="black", help="Of the ink."),))


@click.command()
@size
@ink
@click.option("--name", default="x")
def command(size: Size, ink: Ink, name: str) -> None:
    """Print what was given."""
    click.echo(f"{size} {ink} {name}")


def test_stacked_groups_reach_the_verb_as_records_along_with_its_own_options() -> None:
    done = CliRunner().invoke(command, ["--colour", "red", "--width", "7", "--name", "y"])
    assert done.output == "Size(width=7, height=2) Ink(colour='red') y\n"


def test_help_lists_the_options_in_their_order() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    positions = [text.index(flag) for flag in ("--width", "--height", "--colour", "--name")]
    assert positions == sorted(positions)
    assert "Of the ink." in text
