"""``pitfalls monitor incidents``: look at incidents, and act on them."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
from pydantic_core import PydanticCustomError

from monitoring.actions.perform import perform
from monitoring.config import load_config
from monitoring.config.values import duration
from monitoring.documents.incident import IncidentsDocument, incident_document
from monitoring.errors import BadInput, CannotRun
from monitoring.notifications.outbox import send_outbox
from monitoring.records import IncidentAction
from monitoring.records.incident_order import by_cause
from monitoring.reports.sections.formatting import format_moment, format_window
from monitoring.reports.sections.incidents import action_text, remarks
from monitoring.sentences.incident_text import cause_line, incident_text
from monitoring.store.store import Store
from pitfalls_tf.cli.group import LazyGroup, Verb
from pitfalls_tf.cli.monitor.options import config_option, deployment_of, deployment_option, notifier
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from monitoring.config import MonitorConfig
    from monitoring.records import ActionKind, IncidentRecord
    from pitfalls_tf.cli.output import Output

VERBS: Mapping[str, Verb] = {
    "list": Verb(f"{__name__}:list_incidents", "List the incidents that are not closed."),
    "show": Verb(f"{__name__}:show_incident", "Show one incident, its history, and what people did with it."),
    "acknowledge": Verb(f"{__name__}:acknowledge", "Say that an incident has been seen."),
    "snooze": Verb(f"{__name__}:snooze", "Notify nobody of an incident for a while."),
    "assign": Verb(f"{__name__}:assign", "Give an incident an owner."),
    "note": Verb(f"{__name__}:note", "Add a note to an incident."),
    "act": Verb(f"{__name__}:perform_action", "Perform an action of the config from an incident."),
    "close": Verb(f"{__name__}:close", "Close an incident."),
    "reopen": Verb(f"{__name__}:reopen", "Undo the closing of an incident by a person."),
}

command = LazyGroup("incidents", verbs=VERBS, help="Look at incidents, and act on them.")

#: What closing does.
CLOSED = "Its watches are tested against the baseline again from the next window on; until then it can be reopened."

#: The largest integer that every database can store in an integer column.
MAX_NUMBER = 2**31 - 1

incident_argument = click.argument("incident", type=click.IntRange(1, MAX_NUMBER))


def on_incident(verb: Callable[..., int]) -> Callable[..., int | None]:
    """Decorator: add INCIDENT and the options that every action on an incident has. Goes below ``@click.command()``."""
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
        zone: The zone of a time without one.

    Raises:
        BadInput: It is neither, or not in the future.

    >>> noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    >>> [f"{time_of(text, noon, ZoneInfo('UTC')):%d %H:%M}" for text in ("90m", "2d", "2024-01-05", "2024-01-02T08:00")]
    ['01 13:30', '03 12:00', '05 00:00', '02 08:00']
    """
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

    Raises:
        BadInput: No window was judged yet.
    """
    deployment = deployment_of(config, store, output, number)
    if deployment is None:
        raise BadInput(
            "No such incident.",
            got="no deployment",
            expected="the number of an incident (no window was evaluated yet)",
            fix="Run `pitfalls monitor run` first.",
        )
    return deployment


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
        deployment: what `--deployment` says.
        by: what `--by` says; None: the login name.
        text: the note, the owner or the reason.
        until: when a snooze ends, as text; empty: now.
        until_worse: whether a snooze ends when the incident becomes worse.

    Returns:
        The incident afterwards, and the time zone of its windows.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, deployment)
        now, zone = datetime.now(UTC), ZoneInfo(store.deployments.read(number).timezone)
        end = None if until is None else time_of(until, now, zone) if until else now
        action = IncidentAction(at=now, by=by or login_name(), kind=kind, text=text, until=end, until_worse=until_worse)
        record = store.incidents.act(number, incident, action)
        if config.notify:  # a run that has the lease sends it instead
            send_outbox(config, store, number, notifier(output), lambda: datetime.now(UTC))
    return record, zone


def finish(incident: IncidentRecord, zone: ZoneInfo, output: Output, more: str = "") -> int:
    """Print the incident after an action: its document, or its state and what people have done with it, in one line."""
    words = ", ".join((incident.state, *remarks(incident, datetime.now(UTC), zone)))
    line = f"Incident {incident.number}: {words}. {more}".rstrip()
    output.finish(incident_document(incident).plain(), lambda: click.echo(one_line(line)))
    return 0


@click.command()
@click.option("--all", "everything", is_flag=True, help="Closed incidents too.")
@config_option
@deployment_option
@with_output
def list_incidents(config_path: Path, deployment: int | None, *, everything: bool, output: Output) -> int:
    """List the incidents that are not closed.

    One line each: number, level, state, first day, cause; causes before what follows from them. Evaluates nothing.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_of(config, store, output, deployment)
        incidents = () if number is None else store.incidents.read(number)
        zone = ZoneInfo("UTC" if number is None else store.deployments.read(number).timezone)
    now = datetime.now(UTC)
    selection = [incident for incident in by_cause(incidents, now) if everything or incident.state != "closed"]
    lines = [_list_line(incident, now, zone) for incident in selection]
    none = "No incident." if everything else "No open incident."
    document = IncidentsDocument(incidents=[incident_document(incident) for incident in selection])
    output.finish(document.plain(), lambda: click.echo("\n".join(lines) or none))
    return 0


def _list_line(incident: IncidentRecord, now: datetime, zone: ZoneInfo) -> str:
    state = ", ".join((incident.state, *remarks(incident, now, zone)))
    since = format_moment(incident.window_start, zone)
    return one_line(f"{incident.number}  {incident.level}  {since}  {state}  {cause_line(incident)}")


@click.command()
@incident_argument
@config_option
@deployment_option
@with_output
def show_incident(incident: int, config_path: Path, deployment: int | None, *, output: Output) -> int:
    """Show one incident, its history, and what people did with it.

    INCIDENT is its number. Evaluates nothing.
    """
    config = load_config(config_path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, deployment)
        record = store.incidents.get(number, incident)
        zone = ZoneInfo(store.deployments.read(number).timezone)
    lines = _lines_of(record, datetime.now(UTC), zone)
    output.finish(incident_document(record).plain(), lambda: click.echo("\n".join(map(one_line, lines))))
    return 0


def _lines_of(incident: IncidentRecord, now: datetime, zone: ZoneInfo) -> list[str]:
    said = incident_text(incident)
    window = format_window(incident.window_start, incident.window_end, zone)
    log = [(action.at, f"{action_text(action, zone)} (by {action.by})") for action in incident.actions]
    moved = [(event.at, event.state) for event in incident.history]
    return [
        f"Incident {incident.number}, {incident.level}: {', '.join((incident.state, *remarks(incident, now, zone)))}",
        f"{said.line}, in the window {window}",
        *said.texts,
        *filter(None, [said.next_step]),
        "History:",
        *(f"  {format_moment(at, zone)}  {state}" for at, state in moved),
        *(["Actions:"] if log else []),
        *(f"  {format_moment(at, zone)}  {text}" for at, text in log),
    ]


@click.command()
@on_incident
def acknowledge(incident: int, *, output: Output, **place: Any) -> int:
    """Say that an incident has been seen.

    INCIDENT is its number. Monitoring goes on unchanged, and what becomes worse is to be acknowledged again.
    """
    return finish(*act(incident, "acknowledge", output, **place), output)


@click.command()
@click.option(
    "--until", metavar="TIME|DURATION", help="When it ends: 4h, 2d, 2024-05-01T08:00 (in the windows' time zone)."
)
@click.option(
    "--until-worse", is_flag=True, help="End it when it becomes worse; with --until: or then, if that is sooner."
)
@click.option("--end", is_flag=True, help="End it now.")
@on_incident
def snooze(incident: int, *, until: str | None, until_worse: bool, end: bool, output: Output, **place: Any) -> int:
    """Notify nobody of an incident for a while.

    INCIDENT is its number. Judging goes on. What becomes worse meanwhile is told at the end, or at once with
    --until-worse.
    """
    if end and (until or until_worse):
        raise BadInput(
            "--end is given with another end.", got="both", expected="one of them", fix="Leave one of them out."
        )
    when = "" if end else until
    return finish(*act(incident, "snooze", output, until=when, until_worse=until_worse, **place), output)


@click.command()
@on_incident
@click.argument("owner", required=False, default="")
def assign(incident: int, owner: str, *, output: Output, **place: Any) -> int:
    """Give an incident an owner.

    INCIDENT is its number, OWNER a name; without a name nobody owns it.
    """
    return finish(*act(incident, "assign", output, text=owner.strip(), **place), output)


@click.command()
@on_incident
@click.argument("text")
def note(incident: int, text: str, *, output: Output, **place: Any) -> int:
    """Add a note to an incident.

    INCIDENT is its number, TEXT what you found, such as a sentence or a link. Closed incidents take notes too.
    """
    return finish(*act(incident, "note", output, text=text, **place), output, "The note is in its log.")


@click.command()
@on_incident
@click.argument("action")
def perform_action(incident: int, action: str, *, output: Output, **place: Any) -> int:
    """Perform an action of the config from an incident.

    INCIDENT is its number, ACTION the name of an [[action]] section. Both its beginning and its end are in the
    incident's log. Exits with 3 where it fails.
    """
    path: Path = place["config_path"]
    config = load_config(path)
    with Store.open(config.store.url, make=False) as store:
        number = deployment_with_incidents(config, store, output, place["deployment"])
        by = place["by"] or login_name()
        done, outcome = perform(config, store, (number, incident), action, by=by, clock=lambda: datetime.now(UTC))
        record, zone = store.incidents.get(number, incident), ZoneInfo(store.deployments.read(number).timezone)
    if not done:
        raise CannotRun(
            "The action failed.",
            got=outcome,
            expected="an action that ends without an error",
            fix="What it did is in the incident's log; correct the action, and run it again.",
        )
    return finish(record, zone, output, f"{action}: {outcome}")


@click.command()
@click.option("--why", default="", metavar="TEXT", help="The reason, for its log.")
@on_incident
def close(incident: int, *, why: str, output: Output, **place: Any) -> int:
    """Close an incident.

    INCIDENT is its number. Its watches are tested against the baseline again from the next window on: harm that goes on
    opens a new incident, which refers to this one.
    """
    return finish(*act(incident, "close", output, text=why, **place), output, CLOSED)


@click.command()
@click.option("--why", default="", metavar="TEXT", help="The reason, for its log.")
@on_incident
def reopen(incident: int, *, why: str, output: Output, **place: Any) -> int:
    """Undo the closing of an incident by a person.

    INCIDENT is its number. Possible until the next window is judged.
    """
    return finish(*act(incident, "reopen", output, text=why, **place), output)
