"""The lazy group: help from the table, verbs loaded one at a time, mistakes answered with the nearest name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group of two verbs in files of their own; one of them is a group again."""
    (tmp_path / "tool_measure.py").write_text(
        "import click\n@click.command()\n@click.argument('code', type=int)\ndef command(code):\n    return code\n",
        "utf-8",
    )
    (tmp_path / "tool_labels.py").write_text(
        "from pitfalls_tf.cli.group import LazyGroup, Verb\n"
        "command = LazyGroup('labels', verbs={'add': Verb('tool_measure', 'Add them.')}, help='Labels.')\n",
        "utf-8",
    )
    (tmp_path / "tool_wrong.py").write_text("command = 3\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("tool_measure", "tool_labels", "tool_wrong"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return LazyGroup(
        "tools",
        verbs={
            "measure": Verb("tool_measure", "Measure it."),
            "labels": Verb("tool_labels", "Labels."),
            "wrong": Verb("tool_wrong", "Not a command."),
        },
    )


def test_help_lists_the_table_in_its_order_and_loads_nothing(tools: LazyGroup) -> None:
    result = CliRunner().invoke(tools, ["--help"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()[-3:]] == ["measure", "labels", "wrong"]
    assert not {"tool_measure", "tool_labels", "tool_wrong"} & sys.modules.keys()


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_what_a_verb_returns_is_the_exit_code(tools: LazyGroup, code: int) -> None:
    assert CliRunner().invoke(tools, ["measure", str(code)]).exit_code == code


def test_a_verb_below_a_verb_is_loaded_the_same_way(tools: LazyGroup) -> None:
    assert CliRunner().invoke(tools, ["labels", "add", "1"]).exit_code == 1
    assert "tool_wrong" not in sys.modules


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [(["mesure"], "Did you mean 'measure'?"), (["labels", "ad"], "Did you mean 'add'?")],
    ids=["a verb", "a verb below a verb"],
)
def test_an_unknown_verb_is_wrong_input_and_the_nearest_is_named(
    tools: LazyGroup, arguments: list[str], suggestion: str
) -> None:
    result = CliRunner().invoke(tools, arguments)
    assert result.exit_code == 2
    assert not result.stdout
    assert suggestion in result.stderr


def test_a_module_without_a_command_is_an_error_with_its_name(tools: LazyGroup) -> None:
    with pytest.raises(TypeError, match=r"tool_wrong is a int"):
        tools.get_command(click.Context(tools), "wrong")


def test_a_default_verb_is_meant_where_the_first_word_is_none(tools: LazyGroup) -> None:
    group = LazyGroup("tools", verbs=tools.verbs, default="measure")
    assert CliRunner().invoke(group, ["3"]).exit_code == 3
    assert CliRunner().invoke(group, ["measure", "3"]).exit_code == 3
    assert CliRunner().invoke(group, ["labels", "add", "1"]).exit_code == 1
    assert CliRunner().invoke(group, ["--help"]).exit_code == 0
    assert CliRunner().invoke(group, []).exit_code == 2
