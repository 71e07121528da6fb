"""``pitfalls monitor import-rules``: write rules of another tool as sections of a config."""

from __future__ import annotations

from pathlib import Path

import click

from monitoring.deployment.rules import import_rules, rule_text
from pitfalls_tf.cli.output import Output, one_line, with_output


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@with_output
def command(file: Path, *, output: Output) -> int:
    """Write rules of another tool as sections of a config.

    FILE is a schema of TFDV (.pbtxt) or a suite of Great Expectations (.json). The [[rule]] sections are printed, to be
    appended to a monitor.toml; what is no rule here is listed on stderr. Exits with 1 where something is not.
    """
    result = import_rules(file)
    for line in result.unmapped:
        output.progress(f"Not taken over: {one_line(line)}", level="warning")
    text = "\n".join(map(rule_text, result.rules))
    document = {"rules": [rule.model_dump(exclude_defaults=True) for rule in result.rules], "unmapped": result.unmapped}
    output.finish(document, lambda: click.echo(text, nl=False))
    return 1 if result.unmapped else 0
