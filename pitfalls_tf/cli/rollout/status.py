"""``pitfalls rollout status`` and ``list``: what is known of a rollout, and of all."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.documents.rollout import RolloutsDocument, rollout_document
from monitoring.errors import BadInput
from monitoring.rollout.evidence.terms import as_required
from monitoring.rollout.status import as_of, dead_text, promises_kept
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output
from pitfalls_tf.cli.rollout.deciding import UNDECIDED, exit_code, require_option, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitoring.config import MonitorConfig
    from monitoring.records import Requirement, RolloutEvent, RolloutRecord
    from pitfalls_tf.cli.output import Output

#: Events that the terminal shows.
_SHOWN = 8

rollout_option = click.option(
    "--rollout",
    "number",
    type=click.IntRange(1, 2**31 - 1),
    metavar="NUMBER",
    help="Its number in `pitfalls rollout list`.  [default: the last one]",
)


@click.command()
@config_option
@rollout_option
@click.option("--watch", is_flag=True, help="Show it again every few seconds, until it ends.")
@click.option("--every", "every_s", default=5.0, show_default=True, type=click.FloatRange(0.1), help="Seconds between.")
@require_option
@with_output
def command(
    config_path: Path, *, number: int | None, watch: bool, every_s: float, require: Requirement | None, output: Output
) -> int:
    """Show what is known of a rollout.

    With --require the exit code is 0 if the candidate may be promoted, 1 if not, 4 if it can't be told yet; no rollout
    at all, or one of other versions than the config compares, is wrong input, 2.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        record = as_of(rollout_of(config, store, number), datetime.now(UTC))
        while watch and record.goes_on:
            if not output.as_json:
                click.clear()
                show_rollout(record, store.rollouts.events(record.number))
            time.sleep(every_s)
            record = as_of(rollout_of(config, store, number), datetime.now(UTC))
        events = store.rollouts.events(record.number)
    if require is not None:
        if number is None:
            _check_versions(config, record)
        if record.result is not None:
            record = replace(record, result=as_required(record.result, require))
    dead = dead_text(record, datetime.now(UTC))
    if dead:
        output.progress(dead, level="warning")
    output.finish(rollout_document(record, events).plain(), lambda: show_rollout(record, events))
    if require is None:
        return 0
    return UNDECIDED if record.result is None else exit_code(record.result, require)


def _check_versions(config: MonitorConfig, record: RolloutRecord) -> None:
    """Raise BadInput if the last rollout compares other versions than the config: it says nothing of these."""
    compared = {"champion": record.champion, "candidate": record.candidate}
    named = {key: getattr(config.rollout, key) for key in compared}
    if any(isinstance(version, int) and version != compared[key] for key, version in named.items()):
        raise BadInput(
            "The last rollout is not one of the versions that the config compares.",
            got=f"rollout {record.number} of versions {record.champion} and {record.candidate}",
            expected=", ".join(f"{key} {version}" for key, version in named.items() if version is not None),
            fix="Begin one with `pitfalls rollout replay` or `pitfalls rollout start`, or name the one that is meant "
            f"(--rollout {record.number}).",
        )


def rollout_of(config: MonitorConfig, store: Store, number: int | None) -> RolloutRecord:
    """The rollout with a number, or the last one of the config's deployment. Raises BadInput if there is none."""
    if number is not None:
        return store.rollouts.read(number)
    last = store.rollouts.latest(config.name, most=1)
    if not last:
        raise BadInput(
            "There is no rollout yet.",
            got=f"a store without a rollout of {config.name}",
            expected="one that was replayed or started",
            fix="`pitfalls rollout replay` or `pitfalls rollout start` begins one.",
        )
    return last[0]


def show_rollout(record: RolloutRecord, events: Sequence[RolloutEvent]) -> None:
    """Print a rollout to stdout."""
    until = "" if record.ended_at is None else f" to {record.ended_at:%Y-%m-%d %H:%M}"
    click.echo(
        printable(
            f"Rollout {record.number}: {record.model} versions {record.champion} and {record.candidate}, "
            f"{record.mode}, {record.state}; since {record.started_at:%Y-%m-%d %H:%M}{until} UTC"
        )
    )
    if record.result is None:
        click.echo("No look at the evidence yet: no window with labels is mature.")
    else:
        show(record.result, mode=record.mode)
    for event in events[-_SHOWN:]:
        click.echo(printable(f"  {event.at:%Y-%m-%d %H:%M}  {event.kind}: {event.text}"))


@click.command()
@config_option
@with_output
def list_command(config_path: Path, *, output: Output) -> int:
    """List the rollouts of the config's store."""
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        records = store.rollouts.latest()
        events = {record.number: store.rollouts.events(record.number) for record in records}
    on_time, promised = promises_kept([(record, events[record.number]) for record in records])
    document = RolloutsDocument(rollouts=[rollout_document(record, events[record.number]) for record in records])
    output.finish(document.plain(), lambda: _list(records, on_time, promised))
    return 0


def _list(records: Sequence[RolloutRecord], on_time: int, promised: int) -> None:
    for record in records:
        verdict = "no look yet" if record.result is None else record.result.verdict
        click.echo(
            printable(
                f"{record.number:>4}  {record.started_at:%Y-%m-%d}  {record.model} {record.champion} and "
                f"{record.candidate}  {record.mode}, {record.state}: {verdict}"
            )
        )
    if not records:
        click.echo("No rollout yet.")
    if promised:
        click.echo(f"{on_time} of {promised} verdicts came in the promised time.")
