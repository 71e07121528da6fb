"""The flags of columns mean the same wherever a baseline is made of a table."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pitfalls_tf.cli.column_roles import COLUMNS, dictionary_of, with_column_roles
from pitfalls_tf.cli.export import command as export
from pitfalls_tf.cli.monitor.init import command as init

ROLES = {"--categorical", "--ignore", "--group", "--dictionary"}


def flags(command: click.Command) -> dict[str, click.Option]:
    """The options of roles, by flag."""
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {one.opts[0]: one for one in options if one.opts[0] in ROLES}


def test_both_verbs_have_them_with_one_meaning() -> None:
    assert set(flags(export)) == set(flags(init)) == ROLES
    assert all(flags(export)[flag].help == flags(init)[flag].help for flag in ROLES)


@pytest.mark.parametrize(("text", "names"), [("", ()), ("a", ("a",)), (" a ,b,", ("a", "b"))])
def test_names_are_split_at_commas(text: str, names: tuple[str, ...]) -> None:
    assert COLUMNS.convert(text, None, None) == names


def test_without_a_dictionary_it_is_empty(tmp_path: Path) -> None:
    (tmp_path / "columns.toml").write_text('[columns]\na = { role = "group" }\n', "utf-8")
    assert dictionary_of(None) == {}
    assert dictionary_of(tmp_path / "columns.toml")["a"].role == "group"


def test_a_verb_gets_what_is_given() -> None:
    @click.command()
    @with_column_roles
    def verb(**roles: object) -> int:
        click.echo(sorted(roles.items()))
        return 0

    result = CliRunner().invoke(verb, ["--ignore", "a,b", "--group", "c"])
    assert result.stdout == "[('categorical', None), ('dictionary', None), ('group', 'c'), ('ignore', ('a', 'b'))]\n"
