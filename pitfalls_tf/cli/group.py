"""A click group that knows its verbs by name and loads one only when it is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple, final

import click

from pitfalls_tf.cli.exits import exits

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verb(NamedTuple):
    """Where a verb lives and what it does in one line, so that help needs to import nothing."""

    module: str
    """Full name of the module that exports ``command: click.Command``."""
    summary: str
    """First line of the command's own help, without the full stop being lost: a contract test compares the two."""


@final
class LazyGroup(click.Group):
    """A group whose verbs are rows of a table.

    Asking for help reads the table only; a verb's module is imported when the verb itself is asked for.

    >>> group = LazyGroup("tools", verbs={"demo": Verb("not.imported.yet", "Show it.")})
    >>> group.list_commands(click.Context(group))
    ['demo']
    """

    def __init__(self, name: str | None = None, *, verbs: Mapping[str, Verb], **settings: Any) -> None:
        super().__init__(name, **settings)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs' names, in the table's order: the order of the road, not of the alphabet."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its command; None if there is no such verb."""
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        command = importlib.import_module(verb.module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{verb.module}.command is a {type(command).__name__}, not a click.Command.")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that ``args`` begins with; the error for an unknown one suggests the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=self.verbs, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table as help."""
        if self.verbs:
            with formatter.section("Commands"):
                formatter.write_dl([(name, verb.summary) for name, verb in self.verbs.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse this group's own options; a closed pipe or Ctrl-C during help ends as everywhere else."""
        with exits():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. What it returns, if a number, is the exit code; what it raises is turned into one."""
        with exits():
            code = super().invoke(ctx)
            if isinstance(code, int):
                ctx.exit(code)
            return code
