"""Flags from the environment."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.group import LazyGroup, Verb
from pitfalls_tf.cli.variables import name_variables, with_variable
from tests.contracts.test_command_line_reference import rows


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
