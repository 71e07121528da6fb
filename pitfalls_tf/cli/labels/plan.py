"""``pitfalls labels plan``: how soon a rise of a loss is told with so many labels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.config.sections import LabelsSection
from monitoring.config.values import label_budget
from monitoring.deployment.deployment import deploy
from monitoring.errors import BadInput
from monitoring.onboarding.label_promise import label_promise_notes, label_promises
from monitoring.runs.versions import answering_config
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@click.option("--budget", metavar="'N per week'", help="Another budget of labels.  [default: the config's]")
@with_output
def command(config_path: Path, *, budget: str | None, output: Output) -> int:
    """Say how soon a rise of a loss is told with a budget of labels.

    By simulation of the reference's windows, that of the version that answers: in 9 of 10 cases the rise is told within
    so many weeks. Judges nothing.
    """
    config = load_config(config_path)
    if budget is not None:
        try:
            config = config.model_copy(update={"labels": LabelsSection(budget=label_budget(budget))})
        except ValueError as error:
            raise BadInput(
                "--budget is not a budget of labels.",
                got=budget,
                expected='"N per day" or "N per week"',
                fix='Write, for example, "50 per week".',
            ) from error
    if config.labels.budget is None:
        raise BadInput(
            "There is no budget of labels.",
            got="no `budget` in the [labels] section, and no --budget",
            expected="how many labels people can give",
            fix='Add, for example, --budget "50 per week".',
        )
    path = config.traffic.path
    nothing_answered = isinstance(path, Path) and not path.exists()
    deployment = deploy(config if nothing_answered else answering_config(config))
    promises = label_promises(config, deployment)
    notes = label_promise_notes(config, deployment) or ("No loss of this model is tested.",)
    version = None if config.model.bundle is None else deployment.version
    of_version = "" if version is None else f", version {version}"
    notes += (printable(f"Simulated with the reference of {deployment.model}{of_version}."),)
    output.finish(
        {"budget": config.labels.budget, "version": version, "promises": [asdict(each) for each in promises]},
        lambda: click.echo("\n".join(notes)),
    )
    return 0
