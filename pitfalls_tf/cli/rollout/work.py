"""``pitfalls rollout work``: keep a worker at every rollout that goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.config.files import find_configs
from monitoring.rollout.workers import LOOK_SECONDS, RolloutWorkers
from monitoring.runs.stopping import stopping
from monitoring.service.config_watch import ConfigWatch
from pitfalls_tf.cli.output import logs_json, one_line, with_output
from serving.confinement.parent_death import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pitfalls_tf.cli.output import Output

parent_option = click.option("--parent", type=int, hidden=True, help="End with this process, which started this one.")


def end_with(parent: int | None) -> None:
    """Let the kernel end this process with the one that started it; at once, where that has ended already."""
    if parent is not None:
        end_with_parent()
        if is_orphan(parent):
            raise SystemExit(0)


def is_orphan(parent: int | None) -> bool:
    """Whether the process that started this one is gone: the kernel's signal of a confined one may not have come."""
    return parent is not None and os.getppid() != parent


def verb_command(*words: str) -> list[str]:
    """The command line of a verb of this installation, which ends with this process."""
    return [sys.executable, "-m", "pitfalls_tf", *words, "--parent", str(os.getpid())]


@click.command()
@click.option(
    "--configs",
    required=True,
    metavar="DIR_OR_GLOB",
    help="The configs: a folder with *.toml or */monitor.toml, or a pattern (quote it).",
)
@parent_option
@with_output
def command(configs: str, parent: int | None, output: Output) -> int:
    """Keep a worker at every rollout that goes on.

    Looks every few seconds for rollouts of the configs that go on, and runs the worker of each in a process of its own,
    as `pitfalls rollout start --take-up` does. One that ends is started again, so that a promotion is never without a
    watch. It begins no rollout: that is done by `pitfalls rollout start --begin`. SIGTERM or Ctrl-C ends the workers
    between two passes, and no rollout.
    """
    end_with(parent)
    workers = RolloutWorkers(
        ConfigWatch(lambda: [path.absolute() for path in find_configs(configs)]),
        _started,
        clock=time.monotonic,
        report=_report(output),
    )
    with stopping() as stop:
        try:
            while True:
                workers.look()
                if stop.wait(LOOK_SECONDS) or is_orphan(parent):
                    break
        finally:
            workers.close()
    output.finish({"configs": configs}, lambda: None)
    return 0


def _started(config: Path) -> subprocess.Popen[bytes]:
    command_line = verb_command("rollout", "start", "--config", str(config), "--take-up")
    return subprocess.Popen(command_line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _report(output: Output) -> Callable[[str, str, str], None]:
    def report(name: str, text: str, level: str) -> None:
        if logs_json():
            output.progress(text, level=level, config=one_line(name))
        else:
            output.progress(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {one_line(name)}: {text}", level=level)

    return report
