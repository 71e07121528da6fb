"""The scheduler of ``pitfalls monitor schedule`` and ``serve``: what a run does, and what is printed of it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pitfalls_tf.cli.monitor.options import evaluate_due_windows, send_notifications
from pitfalls_tf.cli.output import Output, logs_json, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitoring.config import MonitorConfig
    from monitoring.config.files import ConfigFile
    from monitoring.jobs.run import Progress
    from monitoring.jobs.service.config_watch import ConfigWatch
    from monitoring.jobs.service.fit_cache import FitCache
    from monitoring.jobs.service.service import MonitorService


def service_of(
    watch: ConfigWatch, output: Output, *, concurrency: int | None = None, moved: bool = False
) -> MonitorService:
    """The scheduler of some configs.

    Args:
        watch: finds the configs.
        output: where it prints.
        concurrency: how many runs at once; None: one for each core.
        moved: whether the traffic may be elsewhere than it was.

    Returns:
        The service, not started.
    """
    from monitoring.jobs.service.fit_cache import FitCache  # noqa: PLC0415 - not needed for --help
    from monitoring.jobs.service.service import MonitorService  # noqa: PLC0415 - as above

    return MonitorService(
        watch,
        partial(_run, output=output, fits=FitCache(), moved=moved),
        concurrency=concurrency or len(os.sched_getaffinity(0)),
        clock=lambda: datetime.now(UTC),
        report=lambda name, text: ConfigOutput(output, name).progress(text),
    )


class ConfigOutput(Output):
    """The output of one config of many: each line begins with the time and the config's name."""

    def __init__(self, output: Output, name: str) -> None:
        """Lines about a config.

        Args:
            output: where they are printed.
            name: the config's name.
        """
        super().__init__(as_json=output.as_json, stdout=sys.stdout)
        self._output, self._name = output, one_line(name)

    def progress(self, text: str, *, level: str = "info", **fields: object) -> None:
        """Print a line to stderr; arguments as of `print_line`."""
        if logs_json():
            self._output.progress(text, level=level, config=self._name, **fields)
        else:
            self._output.progress(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {self._name}: {text}")


def _run(
    file: ConfigFile,
    config: MonitorConfig,
    stop: Callable[[], bool],
    *,
    output: Output,
    fits: FitCache,
    moved: bool,
) -> None:
    """Evaluate what is due of one config, and tell its heartbeat."""
    from monitoring.jobs.idle import has_news, idle_deployment  # noqa: PLC0415 - as above
    from monitoring.notifications.routes.heartbeat import heartbeat  # noqa: PLC0415 - not needed for --help
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    mine = ConfigOutput(output, file.name)
    with heartbeat(config.heartbeat, mine.progress) as beat:
        idle = None if moved else idle_deployment(config, datetime.now(UTC))
        if idle is not None:
            if has_news(config, idle):
                send_notifications(config, idle.number, mine)
            beat.complete = True
            return
        # the store may be unreachable now and back at the next time
        with Store.open(config.store.url) as store:
            run = evaluate_due_windows(
                config,
                store,
                mine,
                progress=partial(_print_window, mine),
                stop=stop,
                moved=moved,
                deploy=partial(fits.deploy, str(file.path)),
            )
        beat.complete = not run.stopped
    mine.progress(f"Evaluated {run.judged} windows.")


def _print_window(output: Output, progress: Progress) -> None:
    from monitoring.watches.descriptions import printable  # noqa: PLC0415 - not needed for --help

    window = progress.window
    expected = "" if window.expected is None else f", expected: {printable(window.expected)}"
    output.progress(
        f"{window.start.isoformat()} {window.status} ({window.rows} rows, {window.labels} labels){expected}",
        window=window.start,
        status=window.status,
        rows=window.rows,
        labels=window.labels,
    )
    for incident in progress.changed:
        last = incident.history[-1] if incident.history else None
        if last is None or last.at != window.end:
            continue
        output.progress(
            f"Incident {incident.number} ({incident.level}) is {last.state}: {printable(incident.cause)}",
            level="warning" if incident.level == "page" else "info",
            window=window.start,
            incident=incident.number,
            state=last.state,
        )
