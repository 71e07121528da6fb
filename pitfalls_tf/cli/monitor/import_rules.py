"""``pitfalls monitor import-rules``: write rules of another tool as sections of a config."""

from __future__ import annotations

from pathlib import Path

import click

from monitoring.config import load_config
from monitoring.deployment.rule_import import fitting, import_rules, rule_text
from pitfalls_tf.cli.output import Output, one_line, with_output


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Leave out rules that this monitor.toml's columns cannot be held against, such as one about labels.",
)
@with_output
def command(file: Path, config: Path | None, *, output: Output) -> int:
    """Write rules of another tool as sections of a config.

    FILE is a schema of TFDV (.pbtxt) or a suite of Great Expectations (.json). The [[rule]] sections are printed, to be
    appended to a monitor.toml; what is no rule here is listed on stderr. Exits with 1 where something is not.
    """
    result = import_rules(file)
    if config is not None:
        from monitoring.deployment.deployment import rule_check  # noqa: PLC0415 - not needed without a config

        result = fitting(result, rule_check(load_config(config)))
    for line in result.unmapped:
        output.progress(f"Not taken over: {one_line(line)}", level="warning")
    text = "\n".join(map(rule_text, result.rules))
    document = {"rules": [rule.model_dump(exclude_defaults=True) for rule in result.rules], "unmapped": result.unmapped}
    output.finish(document, lambda: click.echo(text, nl=False))
    return 1 if result.unmapped else 0
