"""docs/reference/cli.md has a section for every verb, whose flags are generated, and none for what does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from docs.reference_tables import entries, flag_rows, verbs
from pitfalls_tf.cli import VERBS, pitfalls
from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADING = re.compile(r"^## `(pitfalls[^`]*)`$", re.MULTILINE)


def rows(group: LazyGroup, path: str = "pitfalls") -> Iterator[tuple[str, Verb, click.Command]]:
    """Every row of the table and of the tables below it: full name, row, command."""
    context = click.Context(group)
    for name, verb in group.verbs.items():
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", verb, command
        if isinstance(command, LazyGroup):
            yield from rows(command, f"{path} {name}")


def flags(command: click.Command) -> set[str]:
    """Every long flag of a command."""
    options = [
        parameter for parameter in command.params if isinstance(parameter, click.Option) and not parameter.hidden
    ]
    return {flag for option in options for flag in (*option.opts, *option.secondary_opts) if flag.startswith("--")}


def arguments(command: click.Command) -> set[str]:
    """The positional arguments of a command, as its usage line spells them."""
    return {parameter.human_readable_name for parameter in command.params if isinstance(parameter, click.Argument)}


@pytest.fixture(scope="module")
def reference(root: Path) -> dict[str, tuple[set[str], list[str]]]:
    """The arguments in the heading of each verb, and the lines of its directive."""
    parts = HEADING.split((root / "docs/reference/cli.md").read_text("utf-8"))
    sections = {}
    for usage, text in zip(parts[1::2], parts[2::2], strict=True):
        words = usage.split()
        name = " ".join(word for word in words if word.islower())
        (directive,) = re.findall(rf"^:::{{flags}} {name}\n(.*?)^:::$", text, re.MULTILINE | re.DOTALL)
        sections[name] = {re.sub(r"\W", "", word) for word in words if not word.islower()}, directive.splitlines()
    return sections


def test_the_page_has_one_section_for_each_verb(reference: dict[str, tuple[set[str], list[str]]]) -> None:
    assert sorted(reference) == sorted(path for path, _ in verbs())


def test_each_section_has_a_row_for_each_flag(reference: dict[str, tuple[set[str], list[str]]]) -> None:
    for path, command in verbs():
        cells = [row[0] for row in flag_rows(path, entries(reference[path][1]))]
        assert {flag for cell in cells for flag in re.findall(r"--[a-z][\w-]*", cell)} == flags(command), path


def test_a_flag_that_does_not_exist_fails_the_build() -> None:
    with pytest.raises(ValueError, match="pitfalls compare has no --best"):
        flag_rows("pitfalls compare", entries(["- `--best`: which"]))


def test_defaults_come_from_the_program() -> None:
    rows = {cell: (default, text) for cell, default, text in flag_rows("pitfalls compare", {})}
    assert rows["`--metric TEXT`"] == ("brier, or the only one", "Metric to compare")
    assert rows["`--smallest FLOAT`"][0] == "`0.005`"


def test_each_heading_names_the_verbs_arguments(reference: dict[str, tuple[set[str], list[str]]]) -> None:
    written = {path: names for path, (names, _) in reference.items()}
    assert written == {path: arguments(command) for path, command in verbs()}


def test_each_verb_answers_in_json_too() -> None:
    assert not [path for path, command in verbs() if "--json" not in flags(command)]


def test_each_row_of_the_table_is_the_first_line_of_its_commands_help() -> None:
    table = {path: verb.summary for path, verb, _ in rows(pitfalls)}
    assert table == {
        path: (command.help or "").split("\n\n")[0].replace("\n", " ") for path, _, command in rows(pitfalls)
    }


def test_each_flag_says_what_it_is_for() -> None:
    silent = [
        f"{path} {parameter.opts[-1]}"
        for path, command in verbs()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert not silent


def test_each_verb_file_is_in_the_table(root: Path) -> None:
    folder = root / "pitfalls_tf" / "cli"
    files = [
        path for path in folder.rglob("*.py") if re.search(r"^(def )?command\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    exported = {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in files}
    assert exported == {verb.module.partition(":")[0] for _, verb, _ in rows(pitfalls)}


def test_the_root_knows_its_verbs() -> None:
    assert pitfalls.verbs is VERBS
