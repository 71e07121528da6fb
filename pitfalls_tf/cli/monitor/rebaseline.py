"""``pitfalls monitor rebaseline``: make windows of the traffic the new normal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitoring.config import load_config
from monitoring.deployment.deployment_lookup import look_up_deployment
from monitoring.errors import BadInput
from monitoring.notifications.outbox import send_outbox
from monitoring.onboarding.rebaseline import (
    NewNormal,
    rebaseline,
    rebaseline_document,
    undo_rebaseline,
    undone_document,
)
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.incidents import MAX_NUMBER, deployment_with_incidents, login_name
from pitfalls_tf.cli.monitor.options import config_option, embedder_of, notifier, traffic_option, with_traffic
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from monitoring.config import MonitorConfig
    from monitoring.onboarding.rebaseline import RebaselineResult
    from monitoring.records import Rebaseline
    from pitfalls_tf.cli.output import Output

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
_OPTIONS = {"start": "--from", "end": "--to", "since": "--since"}
_FORM = "YYYY-MM-DD[THH:MM]"


@click.command()
@config_option
@traffic_option
@click.option("--from", "start", type=_TIME, metavar=_FORM, help="When the first window begins, in their time zone.")
@click.option("--to", "end", type=_TIME, metavar=_FORM, help="When the last window ends: that day itself is left out.")
@click.option(
    "--since",
    type=_TIME,
    metavar=_FORM,
    help="Judge windows against it from then on.  [default: --to, or after the last judged window]",
)
@click.option(
    "--incident",
    type=click.IntRange(1, MAX_NUMBER),
    metavar="N",
    help="From the window that opened this incident to the last one judged, unless --from or --to says otherwise.",
)
@click.option("--reason", default="", metavar="TEXT", help="Why what these windows show is normal.")
@click.option("--by", metavar="NAME", help="Who does it.  [default: the login name]")
@click.option("--undo", is_flag=True, help="Go back to the baseline before, and to its evidence.")
@with_output
def command(
    config_path: Path,
    traffic: str | None,
    by: str | None,
    reason: str,
    incident: int | None,
    *,
    output: Output,
    **when: datetime | bool | None,
) -> int:
    """Make windows of the traffic the new normal.

    A baseline is made of their rows and of the labels that have come. Windows that were judged stay as they are, and
    open incidents that were opened until --to are closed with the reason. The config gets a [baseline] section; its
    other lines stay.
    """
    config = with_traffic(load_config(config_path), traffic)
    options = [option for name, option in _OPTIONS.items() if when[name] is not None]
    if when["undo"]:
        _undo(config_path, config, by or login_name(), options or reason or incident, output)
        return 0

    zone = ZoneInfo(config.windows.timezone)
    times = {name: _in(zone, when[name]) for name in _OPTIONS}
    if incident is not None:
        times = _since_incident(config, incident, times, output)
    if times["start"] is None or times["end"] is None:
        raise BadInput(
            "The windows are not named.",
            got=f"{', '.join(options) or 'neither --from nor --to'}",
            expected="--from and --to, or --incident",
            fix="Give the days of traffic that are normal, for example --from 2026-03-01 --to 2026-04-01.",
        )

    new_normal = NewNormal(
        start=times["start"], end=times["end"], since=times["since"], reason=reason, by=by or login_name()
    )
    done = rebaseline(config_path, config, new_normal, clock=lambda: datetime.now(UTC), embedder=embedder_of)
    for note in done.notes:
        output.progress(note)
    _notify(config, done.deployment, output)
    _finish(done, zone, output)
    return 0


def _finish(done: RebaselineResult, zone: ZoneInfo, output: Output) -> None:
    """Print what was done."""
    closed = f" Closed: {', '.join(f'#{number}' for number in done.closed)}." if done.closed else ""
    line = (
        f"New baseline {done.folder}: {done.rows:,} rows, {done.labels:,} with labels. Windows are judged against it "
        f"from {done.since.astimezone(zone):%Y-%m-%d %H:%M} on.{closed} `pitfalls monitor rebaseline --undo` goes back."
    )
    output.finish(rebaseline_document(done).plain(), lambda: click.echo(one_line(line)))


def _since_incident(
    config: MonitorConfig, incident: int, times: dict[str, datetime | None], output: Output
) -> dict[str, datetime | None]:
    """Times that were not given: from the window that opened an incident to the last one judged."""
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, None)
        first, last = store.incidents.get(number, incident).window_start, store.windows.last(number)
    end = times["end"] if last is None else times["end"] or last.record.end
    return {**times, "start": times["start"] or first, "end": end}


def _in(zone: ZoneInfo, moment: datetime | bool | None) -> datetime | None:
    return moment.replace(tzinfo=zone).astimezone(UTC) if isinstance(moment, datetime) else None


def _undo(path: Path, config: MonitorConfig, by: str, options: object, output: Output) -> None:
    """Go back to the baseline before, and say so."""
    if options:
        raise BadInput(
            "--undo takes no windows and no reason.",
            got="--undo with others",
            expected="--undo, and perhaps --by",
            fix="Leave the others out.",
        )

    undone: Rebaseline = undo_rebaseline(path, by=by, clock=lambda: datetime.now(UTC))
    with Store.open(config.store.url, make=False) as store:
        number = look_up_deployment(config, store).number
    _notify(config, number, output)
    line = (
        f"The baseline is the former one again. Windows from {undone.since:%Y-%m-%d %H:%M} UTC on are judged again by "
        "the next run."
    )
    output.finish(undone_document(undone).plain(), lambda: click.echo(line))


def _notify(config: MonitorConfig, deployment: int | None, output: Output) -> None:
    """Tell the routes of incidents that were closed or opened again."""
    if config.notify and deployment is not None:
        with Store.open(config.store.url) as store:
            send_outbox(config, store, deployment, notifier(output), lambda: datetime.now(UTC))
