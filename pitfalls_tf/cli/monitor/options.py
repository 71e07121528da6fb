"""Common parts of the monitor's verbs: options, progress bar, evaluation of due windows, exit code."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from monitoring.traffic.remote.urls import is_url
from pitfalls_tf.cli.frameworks import load_frameworks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from monitoring.config import MonitorConfig, RouteSection
    from monitoring.notifications.digest import Message
    from monitoring.notifications.outbox import Notify
    from monitoring.notifications.routes.sending import Delivery
    from monitoring.records import MonitorStatus
    from monitoring.runs.run import ExternalServices, RunResult
    from monitoring.runs.run_request import Progress
    from monitoring.store.store import Store
    from monitoring.watches.embedding import Embed
    from pitfalls_tf.cli.output import Output

config_option = click.option(
    "--config",
    "config_path",
    default="monitor.toml",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Config of the monitor.",
)


def dashboard_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a verb that serves the dashboard: where it listens, and who may ask."""
    for option in (
        click.option(
            "--tls-key",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Key of the certificate, a PEM file of mode 0600.",
        ),
        click.option(
            "--tls-certificate",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Certificate, a PEM file with those of its issuers behind it: the dashboard speaks https.",
        ),
        click.option(
            "--allowed-host",
            "allowed_hosts",
            multiple=True,
            metavar="NAME",
            help="A further host name by which browsers reach the dashboard, such as a proxy's; repeatable.",
        ),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="File of mode 0600 with the tokens that browsers sign in with, one a line: TOKEN, which may act, "
            "TOKEN read, TOKEN read rows, or TOKEN events; needed beyond a loopback address.",
        ),
        click.option(
            "--port", default=8600, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one."
        ),
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    ):
        command = option(command)
    return command


state_option = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of what the service remembers between its starts.  [default: $XDG_STATE_HOME/pitfalls]",
)

traffic_option = click.option(
    "--traffic",
    metavar="PATH_OR_URL",
    help="Traffic log, or files of a table (quote a pattern).  [default: the config's]",
)


moved_option = click.option(
    "--moved", is_flag=True, help="The traffic has moved to where the config says; its history goes on."
)


exit_code_option = click.option(
    "--exit-code",
    "rule",
    type=click.Choice(["open", "unacknowledged", "overdue", "suspected", "unhealthy", "none"]),
    default="open",
    show_default=True,
    help="What exits with 1: an open page; one that nobody acknowledged or snoozed; also an overdue window, a "
    "failed run or a notification that did not arrive; also suspected harm; all that is not healthy; or nothing.",
)


since_option = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    metavar="YYYY-MM-DD[THH:MM]",
    help="With --json: only windows that end after that time, in the windows' time zone.  [default: all]",
)


def since_of(since: datetime | None, monitor_status: MonitorStatus) -> datetime | None:
    """The time that `--since` says, in the time zone of the windows; None for all."""
    return None if since is None else since.replace(tzinfo=ZoneInfo(monitor_status.timezone))


deployment_option = click.option(
    "--deployment",
    type=click.IntRange(1, 2**31 - 1),
    metavar="NUMBER",
    help="Another deployment of the store, by its number in `pitfalls monitor deployments`.",
)


def with_traffic(config: MonitorConfig, traffic: str | None) -> MonitorConfig:
    """Override the traffic of a config.

    Args:
        traffic: a URL, or a path relative to the working directory; None keeps the config's.
    """
    if traffic is None:
        return config
    section = config.traffic.with_path(traffic if is_url(traffic) else Path(traffic).absolute())
    return config.model_copy(update={"traffic": section})


exclude_option = click.option(
    "--exclude-caller",
    "exclude_callers",
    multiple=True,
    metavar="NAME",
    help="Leave out rows of this caller, by the name of a token or certificate, or by address; repeatable.",
)


def with_excluded(config: MonitorConfig, names: Sequence[str]) -> MonitorConfig:
    """A config that excludes further callers.

    Args:
        names: principals or peers.
    """
    if not names:
        return config
    callers = tuple(dict.fromkeys((*config.traffic.exclude_callers, *names)))
    section = config.traffic.model_copy(update={"exclude_callers": callers})
    return config.model_copy(update={"traffic": section})


@contextmanager
def window_progress() -> Iterator[Callable[[Progress], None]]:
    """Show a bar on stderr while windows are evaluated, and print each new page above it."""
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    from monitoring.sentences.incident_text import incident_text  # noqa: PLC0415 - not needed for --help

    columns = (TextColumn("Windows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("windows", total=None)

        def update(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.due)
            for incident in progress.changed:
                if incident.level == "page" and incident.opened_at == progress.window.end:
                    bar.console.print(
                        f"Page on {progress.window.start:%Y-%m-%d}: {incident_text(incident).cause}", markup=False
                    )

        yield update


def evaluate_due_windows(
    config: MonitorConfig,
    store: Store,
    output: Output,
    *,
    progress: Callable[[Progress], None],
    stop: Callable[[], bool] = lambda: False,
    new_store: bool = False,
    **services: Any,
) -> RunResult:
    """Evaluate every due window, and notify the config's routes of what happens to incidents.

    Args:
        store: the monitor's store.
        new_store: whether the store may be a new one in the place of one that is lost.
        **services: further fields of `monitoring.runs.run.ExternalServices`.
    """
    from monitoring.rollout.notifying import tell_of_dead_workers  # noqa: PLC0415 - not needed for --help
    from monitoring.runs.known_store import check_known, keep_known  # noqa: PLC0415 - as above
    from monitoring.runs.run import run_due_windows  # noqa: PLC0415 - as above

    if not new_store:
        check_known(config, store)
    if database := experimental(config):
        output.progress(
            f'[engine] kind = "sql" on {database} is experimental: its statements are compared with the grammar of '
            f"{database}, and no test runs them there. Remove `kind`, and the rows are fetched.",
            level="warning",
        )
    run = run_due_windows(
        config,
        store,
        clock=lambda: datetime.now(UTC),
        stop=stop,
        progress=progress,
        services=run_services(config, output, **services),
    )
    keep_known(config, store)
    print_run(run, store, output)
    tell_of_dead_workers(config, store, notifier(output), lambda: datetime.now(UTC))
    return run


def experimental(config: MonitorConfig) -> str | None:
    """The database on which the config's engine is experimental; None for all that tests run."""
    if config.engine.kind != "sql":
        return None
    from monitoring.sources.engine_sources import experimental_database  # noqa: PLC0415 - not needed for other engines

    return experimental_database(config)


def run_services(config: MonitorConfig, output: Output, **services: Any) -> ExternalServices:
    """What a run has done by others: notifying the config's routes, and embedding tensors.

    Args:
        **services: further fields of `monitoring.runs.run.ExternalServices`.
    """
    from monitoring.runs.run import ExternalServices  # noqa: PLC0415 - not needed for --help

    if ".tfrecord" in str(config.traffic.path):  # records are TensorFlow Serving's messages
        load_frameworks("tensorflow")

    return ExternalServices(notify=notifier(output), embedder=embedder_of, **services)


def embedder_of(bundle: Path) -> Embed:
    """What embeds the rows of a bundle; loads TensorFlow."""
    from serving.export.embedding import BundleEmbedder  # noqa: PLC0415 - not needed for --help

    load_frameworks("tensorflow")
    return BundleEmbedder(bundle)


def notifier(output: Output) -> Notify:
    """What sends a message along routes, and prints what failed."""
    from monitoring.notifications.routes.sending import notify  # noqa: PLC0415 - not needed for --help

    def send(message: Message, routes: Sequence[RouteSection]) -> tuple[Delivery, ...]:
        deliveries = notify(message, routes)
        for delivery in deliveries:
            if not delivery.ok:
                then = "It is given up." if delivery.gone else "The next run retries it."
                output.progress(f"Notification failed: {delivery.shown}: {delivery.detail}. {then}", level="warning")
        return deliveries

    return send


def send_notifications(config: MonitorConfig, numbers: Sequence[int], output: Output) -> int:
    """Send what is pending of deployments of which nothing is due.

    Returns:
        How many of their events did not reach everybody.
    """
    from monitoring.notifications.outbox import send_outbox  # noqa: PLC0415 - not needed for --help
    from monitoring.rollout.notifying import tell_of_dead_workers  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    with Store.open(config.store.url) as store:
        tell_of_dead_workers(config, store, notifier(output), lambda: datetime.now(UTC))
        for number in numbers:
            send_outbox(config, store, number, notifier(output), lambda: datetime.now(UTC))
        return sum(store.outbox.undelivered_of(number).total for number in numbers)


def print_run(run: RunResult, store: Store, output: Output) -> None:
    """Print what a run has to say beside its windows.

    Args:
        store: the monitor's store.
    """
    from monitoring.sentences.finding_text import finding_text  # noqa: PLC0415 - not needed for --help

    if run.follows is not None:
        output.progress(
            f"Deployment {run.deployment} takes the place of {run.follows}, as settings or the baseline of its version "
            f"have changed: its evidence begins anew, and nobody is notified again of what {run.follows} has judged. "
            f"It is kept: --deployment {run.follows} shows it."
        )
    if lost := [event for number in run.numbers for event in store.outbox.given_up(number)]:
        output.progress(
            f"Notifications were given up: {len(lost)}, the last of them {lost[-1]}; not all were reached. "
            "`pitfalls monitor notify retry` sends them again.",
            level="error",
        )
    if not run.has_rows:
        output.progress("The traffic has no rows up to now: nothing was judged.", level="warning")
    if run.waiting_labels:
        due = "" if run.next_due_at is None else f", which is due at {run.next_due_at:%Y-%m-%d %H:%M} UTC"
        count = "1 label waits" if run.waiting_labels == 1 else f"{run.waiting_labels:,} labels wait"
        output.progress(f"{count} for the next window{due}.")
    if run.again_from is not None:
        output.progress(
            f"More rows have come for windows from {run.again_from:%Y-%m-%d %H:%M} UTC on, which were the end of the "
            "traffic: they were judged again."
        )
    if run.excluded_rows:
        output.progress(f"{run.excluded_rows:,} rows of excluded callers were left out.")
    for finding in run.unreported:
        output.progress(finding_text(finding))


def deployment_of(config: MonitorConfig, store: Store, output: Output, number: int | None = None) -> int | None:
    """Number of the deployment that belongs to a config, or of the one that is asked for.

    If the config changed since the last run, this is the last deployment, and a note is printed to stderr.

    Args:
        store: the monitor's store.
        number: what `--deployment` says.

    Returns:
        The number; None if no window was evaluated yet.
    """
    if number is not None:
        store.deployments.read(number)  # refuses one that is not there
        return number
    from monitoring.deployment.deployment_lookup import look_up_deployment  # noqa: PLC0415 - not needed for --help

    lookup = look_up_deployment(config, store)
    if lookup.note:
        output.progress(lookup.note)
    return lookup.number


def show(monitor_status: MonitorStatus) -> None:
    """Print the status to stdout."""
    from rich.console import Console  # noqa: PLC0415 - not needed for --help

    from monitoring.reports.terminal import render  # noqa: PLC0415 - as above

    Console().print(render(monitor_status))


def exit_code(monitor_status: MonitorStatus, run: RunResult | None = None, *, rule: str = "open") -> int:
    """Exit code of a status.

    Args:
        run: the run before it, if there was one.
        rule: what `--exit-code` says.

    Returns:
        1 if a page was raised by this run or is still open, as far as the rule counts it, else 0.
    """
    raised = run is not None and any(incident.level == "page" for incident in run.opened)
    pages = [
        incident for incident in monitor_status.incidents if incident.level == "page" and incident.state != "closed"
    ]
    asked_at = monitor_status.asked_at
    heard = [page for page in pages if asked_at is None or not page.is_snoozed(asked_at)]
    unacknowledged = any(page.state in UNACKNOWLEDGED for page in heard)
    others = any(version.open_pages for version in monitor_status.versions)
    counted = {"open": raised or bool(pages) or others, "unacknowledged": raised or unacknowledged, "none": False}
    if rule not in counted:
        from monitoring.reports.sections.health import health_of  # noqa: PLC0415 - not needed for --help

        states = {state for state, _ in health_of(monitor_status).against}
        asked_for = ALSO_OVERDUE if rule == "overdue" else {rule}
        return int(counted["open"] or bool(states if rule == "unhealthy" else states & asked_for))
    return int(counted[rule])


#: What keeps a monitor from telling.
ALSO_OVERDUE = frozenset({"overdue", "failing", "undelivered", "unknown"})

#: States of a page that nobody has acknowledged.
UNACKNOWLEDGED = ("open", "worse")
