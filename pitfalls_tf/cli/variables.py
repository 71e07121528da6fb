"""Flags from the environment: ``PITFALLS_SERVE_REST_PORT`` is the ``--rest-port`` of ``pitfalls serve``."""

from __future__ import annotations

import click
from click.core import ParameterSource


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
