"""Options that name two versions and who compares them, and the bar while one of them is scored."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitoring.rollout.actions import Author
from pitfalls_tf.cli.monitor.incidents import login_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitoring.rollout.replay.log_replay import ReplayProgress


def version_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: ``--champion`` and ``--candidate``; below ``@click.command()``."""
    candidate = click.option(
        "--candidate", type=click.IntRange(0), metavar="VERSION", help="The new version.  [default: the config's]"
    )
    champion = click.option(
        "--champion", type=click.IntRange(0), metavar="VERSION", help="The version in use.  [default: the config's]"
    )
    return champion(candidate(command))


by_option = click.option("--by", metavar="NAME", help="Who does it.  [default: the login name]")


def author_of(by: str | None) -> Author:
    """Who does something: as ``--by`` says, or by the login name."""
    return Author(by=by or login_name(), release=version("pitfalls-tf"), clock=lambda: datetime.now(UTC))


@contextmanager
def scoring_progress() -> Iterator[Callable[[ReplayProgress], None]]:
    """Show a bar on stderr while logged rows are scored."""
    columns = (
        TextColumn("Windows scored"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("windows", total=None, rows=0)

        def update(now: ReplayProgress) -> None:
            bar.update(task, completed=now.done, total=now.windows, rows=now.rows)

        yield update
