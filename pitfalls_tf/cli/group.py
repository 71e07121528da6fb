"""A click group with a table of verbs, each imported only when it is called."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import click
from click.core import ParameterSource

from pitfalls_tf.cli.exits import exit_on_error

UMASK_VARIABLE = "PITFALLS_UMASK"
OWNER_ONLY = 0o077
OCTAL = re.compile(r"[0-7]{1,4}")


def restrict_files() -> None:
    """Let new files be of mode 0600 and new folders of 0700, or as the variable PITFALLS_UMASK allows.

    Raises:
        SystemExit: the variable is not an octal number; the exit code is 2.
    """
    text = os.environ.get(UMASK_VARIABLE, "")
    if text and not OCTAL.fullmatch(text):
        raise SystemExit(_refuse(text))
    os.umask(int(text, 8) & 0o777 if text else OWNER_ONLY)


def _refuse(text: str) -> int:
    message = f"Error: {UMASK_VARIABLE} cannot be used. Got {text!r}; expected an octal number such as 027."
    os.write(2, f"{message} Correct it, or unset it.\n".encode())
    return 2


def name_variables(command: click.Command, path: str) -> None:
    """Give each flag of a command the variable that is named after it.

    The command line goes before the variable. A flag that may be repeated takes several values, with spaces between.

    >>> @click.command()
    ... @click.option("--rest-port", type=int)
    ... def serve(rest_port: int) -> None:
    ...     click.echo(rest_port)
    >>> name_variables(serve, "pitfalls serve")
    >>> serve.params[0].envvar
    'PITFALLS_SERVE_REST_PORT'
    """
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len).lstrip("-")
            option.envvar = f"{path} {flag}".replace(" ", "_").replace("-", "_").upper()


def with_variable(error: click.BadParameter) -> click.BadParameter:
    """Say that a wrong value comes from a variable, if it does: nobody has typed the flag that the message names.

    Returns:
        The same with a longer message, or the error itself.
    """
    option, context = error.param, error.ctx
    if not isinstance(option, click.Option) or context is None or option.name is None:
        return error
    if context.get_parameter_source(option.name) is not ParameterSource.ENVIRONMENT:
        return error
    return click.BadParameter(f"{error.message} The environment has it as {option.envvar}.", context, option)


class Verb(NamedTuple):
    """A row of the table: enough to print help without importing the verb."""

    module: str
    """Full name of the module that exports ``command: click.Command``, or ``module:name`` of a command."""
    summary: str
    """First paragraph of the command's help; a contract test compares the two."""


@final
class LazyGroup(click.Group):
    """A group whose verbs are rows of a table.

    Help reads the table only; a verb's module is imported when the verb is called or its own help is shown.

    Args:
        default: the verb that is meant where the first word is none; empty: there has to be one.
        **settings: passed to `click.Group`.

    >>> group = LazyGroup("tools", verbs={"demo": Verb("not.imported.yet", "Show it.")})
    >>> group.list_commands(click.Context(group))
    ['demo']
    """

    def __init__(
        self, name: str | None = None, *, verbs: Mapping[str, Verb], default: str = "", **settings: Any
    ) -> None:
        super().__init__(name, **settings)
        self.verbs = verbs
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words after the group's name, with the default verb put in where there is none."""
        if self.default and args and args[0] not in {*self.verbs, *ctx.help_option_names}:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs in the order of the table."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module.

        Returns:
            Its command; None for an unknown verb.

        Raises:
            TypeError: what the row names is not a click command.
        """
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        module, _, attribute = verb.module.partition(":")
        command = getattr(importlib.import_module(module), attribute or "command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.module} is a {type(command).__name__}, not a click.Command.")
        if ctx.command_path:
            path = ctx.command_path if cmd_name == self.default else f"{ctx.command_path} {cmd_name}"
            name_variables(command, path)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that ``args`` begins with.

        Raises:
            NoSuchCommand: click's exception for an unknown verb, which suggests the nearest one.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.verbs, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table into the help."""
        if self.verbs:
            with formatter.section("Commands"):
                formatter.write_dl([(name, verb.summary) for name, verb in self.verbs.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the group's own options, with the exit codes of `exit_on_error`."""
        with exit_on_error():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. An integer that it returns is the exit code.

        Returns:
            What the verb returned, if that is not an integer.
        """
        with exit_on_error():
            try:
                code = super().invoke(ctx)
            except click.BadParameter as error:
                if error.ctx is None or error.ctx.parent is not ctx:
                    raise
                raise with_variable(error) from error
            if isinstance(code, int):
                ctx.exit(code)
            return code
