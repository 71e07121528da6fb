"""``pitfalls monitor backfill``: judge a range of windows, late or again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from monitoring.config import load_config
from monitoring.reports.sections.formatting import format_count
from monitoring.runs.backfill import BackfillRequest, WindowRange, backfill, backfill_document
from monitoring.runs.stopping import stopping
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.incidents import login_name
from pitfalls_tf.cli.monitor.options import config_option, run_services, traffic_option, window_progress, with_traffic
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from monitoring.config import MonitorConfig
    from monitoring.records import Only, WindowRecord, WindowRevision
    from monitoring.runs.backfill import BackfillResult, RevisedWindow
    from pitfalls_tf.cli.output import Output

#: What `--only` says.
ONLY: dict[str | None, Only | None] = {None: None, "missing": "missing", "failed": "failed"}

_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])
_FORM = "YYYY-MM-DD[THH:MM]"


@click.command()
@config_option
@traffic_option
@click.option(
    "--from",
    "start",
    required=True,
    type=_TIME,
    metavar=_FORM,
    help="When the first window begins, in their time zone.",
)
@click.option(
    "--to",
    "end",
    required=True,
    type=_TIME,
    metavar=_FORM,
    help="When the last window ends: that day itself is left out.",
)
@click.option(
    "--only",
    type=click.Choice(["missing", "failed"]),
    help="Only windows never judged, or without rows that are there now; or only what failed.  [default: all]",
)
@click.option("--by", metavar="NAME", help="Who does it.  [default: the login name]")
@with_output
def command(
    config_path: Path, traffic: str | None, start: datetime, end: datetime, *, output: Output, **flags: str | None
) -> int:
    """Judge a range of windows, late or again.

    Windows that were not judged are judged. From the first one on that was judged before, all windows are judged again,
    in order, with the rows and labels that there are now; what they were is kept. One digest tells of it. Stopped or
    killed, the same command goes on.
    """
    config = with_traffic(load_config(config_path), traffic)
    zone = ZoneInfo(config.windows.timezone)
    first, last = (time.replace(tzinfo=zone).astimezone(UTC) for time in (start, end))
    window_range = WindowRange(start=first, end=last, only=ONLY[flags["only"]], by=flags["by"] or login_name())
    done = _backfill(config, window_range, output)
    lines = _lines(done, zone)
    output.finish(backfill_document(done).plain(), lambda: click.echo("\n".join(map(one_line, lines))))
    return 0


def _backfill(config: MonitorConfig, window_range: WindowRange, output: Output) -> BackfillResult:
    with Store.open(config.store.url) as store, window_progress() as progress, stopping() as stop:
        return backfill(
            config,
            store,
            BackfillRequest(windows=window_range, stop=stop.is_set, progress=progress),
            services=run_services(config, output),
            clock=lambda: datetime.now(UTC),
        )


def _short(window: WindowRecord | WindowRevision | None) -> tuple[str, int, int] | None:
    return None if window is None else (window.status, window.rows, window.labels)


def _lines(done: BackfillResult, zone: ZoneInfo) -> list[str]:
    if done.backfill is None:
        return ["Nothing to judge: no window of the range is missing or failed."]
    changed = [window for window in done.revised if _short(window.before) != _short(window.after)]
    again = f" Of {len(done.revised):,} that had been judged before, {len(changed):,} changed." if done.revised else ""
    head = f"Judged {format_count(done.run.judged, 'window')}.{again}"
    if done.run.stopped:
        head = f"Stopped after {format_count(done.run.judged, 'window')}: the same command goes on, or the next run."
    opened = [
        f"Opened: {incident.level} #{incident.number}, {incident_text(incident).cause}" for incident in done.run.opened
    ]
    return [head, *(_revision(window, zone) for window in changed), *opened]


def _revision(window: RevisedWindow, zone: ZoneInfo) -> str:
    before, after = window.before, window.after
    was = f"{before.status}, {before.rows:,} rows, {before.labels:,} labels"
    now = "not judged yet" if after is None else f"{after.status}, {after.rows:,} rows, {after.labels:,} labels"
    return f"{before.start.astimezone(zone):%Y-%m-%d %H:%M}  {was}  ->  {now}"
