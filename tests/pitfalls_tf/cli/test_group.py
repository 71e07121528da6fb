"""The lazy group: help from the table, verbs loaded one at a time, mistakes answered with the nearest name."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.group import LazyGroup, Verb, name_variables, restrict_files, with_variable
from tests.contracts.test_command_line_reference import rows

if TYPE_CHECKING:
    from collections.abc import Iterator
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


@click.command()
@click.option("--port", "--rest-port", "number", type=int, default=1)
@click.option("--name", "names", multiple=True)
@click.option("--fast/--slow", default=True)
@click.option("--json", is_flag=True)
def measure(number: int, names: tuple[str, ...], fast: bool, json: bool) -> None:
    click.echo(f"{number} {names} {fast} {json}")


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> Result:
    """Run `tools more measure` with these arguments and variables."""
    below = LazyGroup("more", verbs={"measure": Verb("unused", "Measure it.")})
    monkeypatch.setattr(below, "get_command", lambda ctx, name: named(ctx, name, measure))
    tools = LazyGroup("tools", verbs={"more": Verb("unused", "More.")})
    monkeypatch.setattr(tools, "get_command", lambda ctx, name: below)
    return CliRunner(env=dict(variables)).invoke(tools, ["more", "measure", *arguments])


def named(ctx: click.Context, name: str, command: click.Command) -> click.Command:
    name_variables(command, f"{ctx.command_path} {name}")
    return command


def test_a_variable_is_named_after_verb_and_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TOOLS_MORE_MEASURE_REST_PORT": "7", "TOOLS_MORE_MEASURE_NAME": "a b"}
    flags = {"TOOLS_MORE_MEASURE_FAST": "no", "TOOLS_MORE_MEASURE_JSON": "1"}
    assert call(monkeypatch, **variables, **flags).stdout == "7 ('a', 'b') False True\n"


def test_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"TOOLS_MORE_MEASURE_REST_PORT": "7", "TOOLS_MORE_MEASURE_NAME": "a b"}
    assert call(monkeypatch, "--port", "8", "--name", "c", **variables).stdout == "8 ('c',) True False\n"


def test_a_wrong_value_is_said_to_come_from_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kubernetes sets such variables in every pod for a Service that is called tools-more-measure-rest.
    wrong = call(monkeypatch, TOOLS_MORE_MEASURE_REST_PORT="tcp://10.0.0.1:80")
    assert wrong.exit_code == 2
    assert wrong.stderr.endswith(
        "Error: Invalid value for '--port' / '--rest-port': 'tcp://10.0.0.1:80' is not a valid integer."
        " The environment has it as TOOLS_MORE_MEASURE_REST_PORT.\n"
    )


def test_a_wrong_argument_is_not() -> None:
    error = click.BadParameter("Wrong.", click.Context(measure), measure.params[0])
    assert with_variable(error) is error


def test_every_flag_of_every_verb_has_a_variable_of_its_own() -> None:
    variables: list[str] = []
    for path, _, command in rows(pitfalls):
        name_variables(command, path)
        variables += [str(option.envvar) for option in command.params if isinstance(option, click.Option)]
    assert len(set(variables)) == len(variables) > 150
    assert {"PITFALLS_SERVE_REST_PORT", "PITFALLS_MONITOR_RUN_CONFIG"} <= set(variables)
    assert not {"PITFALLS_TOKEN", "PITFALLS_HASH_KEY", "PITFALLS_UMASK", "PITFALLS_STORE_URL"} & set(variables)


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("variable", "modes"), [(None, (0o600, 0o700)), ("027", (0o640, 0o750)), ("22", (0o644, 0o755))]
)
def test_new_files_and_folders_are_as_the_variable_allows(
    variable: str | None, modes: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PITFALLS_UMASK", raising=False)
    if variable is not None:
        monkeypatch.setenv("PITFALLS_UMASK", variable)
    restrict_files()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    found = (tmp_path / "folder" / "file", tmp_path / "folder")
    assert tuple(stat.S_IMODE(path.stat().st_mode) for path in found) == modes


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PITFALLS_UMASK", "u=rwx")
    with pytest.raises(SystemExit) as caught:
        restrict_files()
    assert (caught.value.code, "PITFALLS_UMASK cannot be used" in capfd.readouterr().err) == (2, True)
