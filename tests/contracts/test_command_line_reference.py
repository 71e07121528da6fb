"""docs/reference/cli.md names every verb and flag that exists, and none that does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import click
import pytest

from pitfalls_tf.cli import VERBS, pitfalls
from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADING = re.compile(r"^## `(pitfalls[^`]*)`$", re.MULTILINE)
FLAG_ROW = re.compile(r"^\| `(-[^`]*)`", re.MULTILINE)


class Section(NamedTuple):
    """What the page says about one verb."""

    arguments: set[str]
    flags: set[str]


def rows(group: LazyGroup, path: str = "pitfalls") -> Iterator[tuple[str, Verb, click.Command]]:
    """Every row of the table and of the tables below it: full name, row, command."""
    context = click.Context(group)
    for name, verb in group.verbs.items():
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", verb, command
        if isinstance(command, LazyGroup):
            yield from rows(command, f"{path} {name}")


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Every verb that does something: full name, command."""
    for path, _, command in rows(pitfalls):
        if not isinstance(command, click.Group):
            yield path, command


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
def reference(root: Path) -> dict[str, Section]:
    """The page, cut at its headings. A heading is a usage line; a flag is the first cell of a table row."""
    parts = HEADING.split((root / "docs/reference/cli.md").read_text("utf-8"))
    sections = {}
    for usage, text in zip(parts[1::2], parts[2::2], strict=True):
        words = usage.split()
        name = " ".join(word for word in words if word.islower())
        spelled = {re.sub(r"\W", "", word) for word in words if not word.islower()}
        found = {flag for row in FLAG_ROW.findall(text) for flag in re.findall(r"--[a-z][a-z_-]*", row)}
        sections[name] = Section(spelled, found)
    return sections


def test_the_page_has_one_section_for_each_verb(reference: dict[str, Section]) -> None:
    assert sorted(reference) == sorted(path for path, _ in verbs())


def test_each_section_names_the_verbs_flags_and_no_others(reference: dict[str, Section]) -> None:
    written = {path: section.flags for path, section in reference.items()}
    assert written == {path: flags(command) for path, command in verbs()}


def test_each_heading_names_the_verbs_arguments(reference: dict[str, Section]) -> None:
    written = {path: section.arguments for path, section in reference.items()}
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
