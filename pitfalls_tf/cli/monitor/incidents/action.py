"""An action on an incident from the command line: its options, its time, its name, and what is printed of it."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option, notifier
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitoring.config import MonitorConfig
    from monitoring.records import ActionKind, IncidentRecord
    from monitoring.store.store import Store
    from pitfalls_tf.cli.output import Output

#: The largest integer that every database can store in an integer column.
MAX_NUMBER = 2**31 - 1

incident_argument = click.argument("incident", type=click.IntRange(1, MAX_NUMBER))


def on_incident(verb: Callable[..., int]) -> Callable[..., int | None]:
    """Decorator: add INCIDENT and the options that every action on an incident has. Goes below ``@click.command()``.

    Returns:
        The decorated verb.
    """
    by = click.option("--by", metavar="NAME", help="Who does it.  [default: the login name]")
    return incident_argument(config_option(deployment_option(by(with_output(verb)))))


def login_name() -> str:
    """The name of the user who runs this; the number of one without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def time_of(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The time that ``--until`` says: a duration from now, or a time.

    Args:
        text: A whole number and a unit of m, h or d; or a date, or a date and a time, as ISO 8601.
        now: The time, aware.
        zone: The zone of a time without one.

    Returns:
        The time, aware and later than now.

    Raises:
        BadInput: It is neither, or not in the future.

    >>> noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    >>> [f"{time_of(text, noon, ZoneInfo('UTC')):%d %H:%M}" for text in ("90m", "2d", "2024-01-05", "2024-01-02T08:00")]
    ['01 13:30', '03 12:00', '05 00:00', '02 08:00']
    """
    from pydantic_core import PydanticCustomError  # noqa: PLC0415 - not needed for --help

    from monitoring.config.values import duration  # noqa: PLC0415 - as above

    try:
        until = now + duration(text)
    except PydanticCustomError:
        try:
            until = datetime.fromisoformat(text)
        except ValueError as error:
            raise _no_time("Not a time or a duration.", text) from error
        until = until if until.tzinfo is not None else until.replace(tzinfo=zone)
    if until <= now:
        raise _no_time("The time is not in the future.", text)
    return until


def _no_time(what: str, text: str) -> BadInput:
    return BadInput(
        what,
        got=text,
        expected="a duration such as 90m, 4h or 2d, or a time such as 2024-05-01 or 2024-05-01T08:00",
        fix="Correct --until.",
    )


def deployment_with_incidents(config: MonitorConfig, store: Store, output: Output, number: int | None) -> int:
    """The deployment that belongs to a config, or that is asked for.

    Returns:
        Its number.

    Raises:
        BadInput: No window was judged yet.
    """
    found = deployment_of(config, store, output, number)
    if found is None:
        raise BadInput(
            "No such incident.",
            got="no deployment",
            expected="the number of an incident (no window was evaluated yet)",
            fix="Run `pitfalls monitor run` first.",
        )
    return found


def act(
    incident: int,
    kind: ActionKind,
    output: Output,
    *,
    config_path: Path,
    deployment: int | None,
    by: str | None,
    text: str = "",
    until: str | None = None,
    until_worse: bool = False,
) -> tuple[IncidentRecord, ZoneInfo]:
    """Act on an incident of a config's store, now, and notify the config's routes of it.

    Args:
        incident: its number.
        kind: what is done.
        output: where notes are printed.
        config_path: the config.
        deployment: what `--deployment` says.
        by: what `--by` says; None: the login name.
        text: the note, the owner or the reason.
        until: when a snooze ends, as text; empty: now.
        until_worse: whether a snooze ends when the incident becomes worse.

    Returns:
        The incident afterwards, and the time zone of its windows.
    """
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.notifications.outbox import send_outbox  # noqa: PLC0415 - as above
    from monitoring.records import IncidentAction  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, deployment)
        now, zone = datetime.now(UTC), ZoneInfo(store.deployment_record(number).timezone)
        end = None if until is None else time_of(until, now, zone) if until else now
        action = IncidentAction(at=now, by=by or login_name(), kind=kind, text=text, until=end, until_worse=until_worse)
        found = store.act(number, incident, action)
        if config.notify:  # a run that has the lease sends it instead
            send_outbox(config, store, number, notifier(output), lambda: datetime.now(UTC))
    return found, zone


def finish(incident: IncidentRecord, zone: ZoneInfo, output: Output, more: str = "") -> int:
    """Print the incident after an action: its document, or its state and what people have done with it, in one line.

    Args:
        incident: the incident.
        zone: the time zone of the times.
        output: where it is printed.
        more: a sentence to add.

    Returns:
        The exit code.
    """
    from monitoring.reports.document import incident_document  # noqa: PLC0415 - not needed for --help
    from monitoring.reports.sections.incidents import remarks  # noqa: PLC0415 - as above

    words = ", ".join((incident.state, *remarks(incident, datetime.now(UTC), zone)))
    line = f"Incident {incident.number}: {words}. {more}".rstrip()
    output.finish(dict(incident_document(incident)), lambda: click.echo(one_line(line)))
    return 0
