"""``pitfalls monitor run``: evaluate every due window once."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitoring.runs.idle_stamp import stamped_idle
from monitoring.runs.stopping import stopping
from pitfalls_tf.cli.monitor.options import (
    config_option,
    evaluate_due_windows,
    exclude_option,
    exit_code,
    exit_code_option,
    experimental,
    moved_option,
    notifier,
    send_notifications,
    show,
    since_of,
    since_option,
    traffic_option,
    window_progress,
    with_excluded,
    with_traffic,
)
from pitfalls_tf.cli.monitor.run_configs import ConfigRun, run_configs
from pitfalls_tf.cli.output import printable, with_output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitoring.config import MonitorConfig
    from monitoring.records import MonitorStatus
    from monitoring.runs.run import RunResult
    from monitoring.store.checks import IdleDeployment
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@traffic_option
@exclude_option
@moved_option
@click.option(
    "--new-label-log", is_flag=True, help="The label log was lost for good, and a new one has begun: read it as such."
)
@click.option("--new-store", is_flag=True, help="The store was lost for good: begin anew in one that has less.")
@since_option
@exit_code_option
@click.option(
    "--configs",
    metavar="DIR_OR_GLOB",
    help="Many configs in place of one: a folder with *.toml or */monitor.toml, or a pattern (quote it).",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), metavar="N", help="With --configs: processes.  [default: one a core]"
)
@with_output
def command(
    config_path: Path,
    traffic: str | None,
    since: datetime | None,
    *,
    rule: str,
    output: Output,
    exclude_callers: tuple[str, ...],
    configs: str | None,
    workers: int | None,
    **flags: bool,
) -> int:
    """Evaluate every due window once.

    Windows that were evaluated before are skipped, so it can run at any time, for example from cron. Exits with 1 if it
    raised a page or a page is still open, unless --exit-code says otherwise. With nothing due, it prints one line, or
    the document with --json.

    With --configs, every config is run, in several processes, and one that fails is one line and stops no other. New
    pages of a team's deployments (the section [fleet]) are told together. Exits with 1 if any page is open, otherwise
    with 2 or 3 if a config failed.
    """
    if configs is not None:
        others = (traffic, since, *exclude_callers, *filter(None, flags.values()))
        if any(value is not None for value in others) or rule not in ("open", "none"):
            text = "--configs goes with --workers, --exit-code open or none, and --json alone: configs say the rest."
            raise click.UsageError(text)
        return _run_many(configs, workers or len(os.sched_getaffinity(0)), output, rule)

    plain = not (output.as_json or any(flags.values()) or traffic or since or exclude_callers)
    plain = plain and rule in ("open", "unacknowledged", "none")
    if (
        plain
        and (stamped := stamped_idle(config_path, datetime.now(UTC))) is not None
        and not (stamped.pending or stamped.rollouts)
    ):
        return _nothing_due(stamped, rule)
    from monitoring.config import load_config  # noqa: PLC0415 - not needed for --help
    from monitoring.notifications.routes.heartbeat import heartbeat, unreached  # noqa: PLC0415 - as above
    from monitoring.runs.idle import has_news, idle_deployment, keep_stamp  # noqa: PLC0415 - as above

    config = with_excluded(with_traffic(load_config(config_path), traffic), exclude_callers)
    with heartbeat(config.heartbeat, output.progress) as beat:
        idle = None if any(flags.values()) else idle_deployment(config, datetime.now(UTC))
        if idle is not None and has_news(config, idle):
            idle = replace(idle, undelivered=send_notifications(config, idle.numbers, output))
        if idle is None or output.as_json or rule not in ("open", "unacknowledged", "none"):
            monitor_status, run = _run(config, since, output, flags, idle)
            beat.complete = run is None or not run.stopped
            beat.problem = unreached(monitor_status.undelivered)
            return exit_code(monitor_status, run, rule=rule)
        beat.complete = True
        beat.problem = unreached(idle.undelivered)
    if plain:
        keep_stamp(config_path, config)
    return _nothing_due(idle, rule)


def _nothing_due(idle: IdleDeployment, rule: str) -> int:
    """Print the line of a run with nothing to do; gives its exit code."""
    click.echo(_idle_line(idle, datetime.now(UTC)))
    counted = {"open": idle.open_pages, "unacknowledged": idle.unacknowledged_pages, "none": 0}
    return 1 if counted[rule] else 0


def _run_many(configs: str, workers: int, output: Output, rule: str) -> int:
    """Run many configs and print one line of each that failed or has a page open, and the sum."""
    from monitoring.config.files import ConfigFile, config_paths  # noqa: PLC0415 - not needed for --help
    from monitoring.documents.deployment import ConfigRunDocument, ConfigRunsDocument  # noqa: PLC0415 - as above
    from monitoring.service.team_pages import send_pages_of  # noqa: PLC0415 - as above

    paths, results = config_paths(configs), list[ConfigRun]()

    def ended(result: ConfigRun) -> None:
        results.append(result)
        name = ConfigFile(path=result.path, config=None).name
        if result.error:
            output.progress(printable(f"{name}: Error: {result.error}"), level="error")
        elif result.windows:
            pages = f", {result.open_pages} open pages" if result.open_pages else ""
            output.progress(printable(f"{name}: evaluated {result.windows} windows{pages}."))

    with stopping() as stop:
        run_configs(paths, workers, ended=ended, stop=stop.is_set)
    paged = [result for result in results if result.open_pages and result.windows]
    send_pages_of(
        [(result.path, result.numbers) for result in paged],
        notifier(output),
        lambda: datetime.now(UTC),
        output.progress,
    )
    document = ConfigRunsDocument(
        configs=[
            ConfigRunDocument(
                config=str(result.path),
                windows=result.windows,
                open_pages=result.open_pages,
                error=result.error or None,
            )
            for result in sorted(results, key=lambda result: result.path)
        ],
        not_run=len(paths) - len(results),
    )
    failed = [result.exit_code for result in results if result.error]
    pages = sum(result.open_pages for result in results)
    output.finish(
        document.plain(),
        lambda: click.echo(
            f"{len(results)} of {len(paths)} configs run, {sum(result.windows for result in results)} windows "
            f"evaluated, {pages} open pages, {len(failed)} configs failed."
        ),
    )
    return 1 if pages and rule != "none" else max(failed, default=0)


def _idle_line(idle: IdleDeployment, now: datetime) -> str:
    judged = (
        "no window judged yet" if idle.judged_until is None else f"judged until {idle.judged_until:%Y-%m-%d %H:%M} UTC"
    )
    due = idle.check.next_due_at
    when = "" if due is None else f"; the next window is due at {due:%Y-%m-%d %H:%M} UTC"
    if due is not None and due < now:
        when = f"; no row has come since, and a window has been due since {due:%Y-%m-%d %H:%M} UTC"
    pages = f"; open pages: {idle.open_pages}" if idle.open_pages else ""
    lost = f"; notifications that did not reach everybody: {idle.undelivered}" if idle.undelivered else ""
    return f"Nothing is due: {judged}{when}{pages}{lost}."


def _run(
    config: MonitorConfig,
    since: datetime | None,
    output: Output,
    flags: Mapping[str, bool],
    idle: IdleDeployment | None,
) -> tuple[MonitorStatus, RunResult | None]:
    """Evaluate what is due, if anything is, and print the status."""
    from monitoring.deployment.data_dictionary import column_notes  # noqa: PLC0415 - not needed for --help
    from monitoring.documents.status import status_document  # noqa: PLC0415 - as above
    from monitoring.inspection.status import status  # noqa: PLC0415 - as above
    from monitoring.sentences.finding_text import finding_text  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    with Store.open(config.store.url) as store:
        run, number = None, 0 if idle is None else idle.number
        if idle is None:
            with window_progress() as progress, stopping() as stop:
                run = evaluate_due_windows(
                    config,
                    store,
                    output,
                    progress=progress,
                    stop=stop.is_set,
                    moved=flags["moved"],
                    labels_anew=flags["new_label_log"],
                    new_store=flags["new_store"],
                )
            number = run.deployment
        monitor_status = status(store, config.name, number, now=datetime.now(UTC))
    monitor_status = replace(monitor_status, columns=column_notes(config))
    document = status_document(monitor_status, since=since_of(since, monitor_status)).plain()
    if config.traffic.exclude_callers:
        document["excluded_rows"] = 0 if run is None else run.excluded_rows
    document["experimental"] = experimental(config)
    document["outside_windows"] = [finding_text(finding) for finding in run.unreported] if run is not None else []
    output.finish(document, lambda: show(monitor_status))
    return monitor_status, run
