"""The scheduler of ``pitfalls monitor schedule`` and ``serve``: what a run does, and what is printed of it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from monitoring.service.workers import STALLED_SECONDS, Workers
from pitfalls_tf.cli.monitor.options import evaluate_due_windows, notifier, send_notifications
from pitfalls_tf.cli.output import Output, logs_json, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitoring.config import MonitorConfig
    from monitoring.config.files import ConfigFile
    from monitoring.runs.run_request import Progress
    from monitoring.service.config_watch import ConfigWatch
    from monitoring.service.fit_cache import FitCache
    from monitoring.service.registry import ConfigRegistry
    from monitoring.service.service import MonitorService
    from monitoring.service.team_pages import TeamPages
    from monitoring.store.store import Store


def service_of(
    watch: ConfigWatch,
    output: Output,
    *,
    concurrency: int | None = None,
    moved: bool = False,
    registry: ConfigRegistry | None = None,
    patience: float | None = None,
) -> MonitorService:
    """The scheduler of some configs.

    Args:
        concurrency: how many runs at once; None: one for each core.
        moved: whether the traffic may be elsewhere than it was.
        registry: the configs that are to be there; None: those that are found.
        patience: seconds without a judged window after which a run is stalled; None: the default.
    """
    from monitoring.service.fit_cache import FitCache  # noqa: PLC0415 - not needed for --help
    from monitoring.service.service import MonitorService  # noqa: PLC0415 - as above
    from monitoring.service.team_pages import TeamPages  # noqa: PLC0415 - as above

    pages = TeamPages(
        notifier(output), lambda: datetime.now(UTC), lambda text: ConfigOutput(output, "teams").progress(text)
    )
    service = MonitorService(
        watch,
        partial(_run, output=output, fits=FitCache(), moved=moved, pages=pages),
        workers=Workers(
            concurrency or len(os.sched_getaffinity(0)), patience=STALLED_SECONDS if patience is None else patience
        ),
        clock=lambda: datetime.now(UTC),
        report=lambda name, text, level: ConfigOutput(output, name).progress(text, level=level),
        registry=registry,
    )
    service.between = lambda queue: pages.send(busy=bool(queue.waiting + queue.running))
    return service


class ConfigOutput(Output):
    """The output of one config of many: each line begins with the time and the config's name."""

    def __init__(self, output: Output, name: str) -> None:
        """Lines about a config."""
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
    pages: TeamPages,
) -> datetime | None:
    """Evaluate what is due of one config, and tell its heartbeat.

    Returns:
        When a receiver that was not reached is tried again; None where none waits.
    """
    from monitoring.notifications.routes.heartbeat import heartbeat, unreached  # noqa: PLC0415 - not needed for --help
    from monitoring.runs.idle import has_news, idle_deployment  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    config_output = ConfigOutput(output, file.name)
    with heartbeat(config.heartbeat, config_output.progress) as beat:
        idle = None if moved else idle_deployment(config, datetime.now(UTC))
        if idle is not None:
            lost = (
                send_notifications(config, idle.numbers, config_output) if has_news(config, idle) else idle.undelivered
            )
            beat.complete, beat.problem = True, unreached(lost)
            if not lost:
                return None
        # the store may be unreachable now and back at the next time
        with Store.open(config.store.url) as store:
            if idle is not None:
                return next_attempt_at(store, idle.numbers)
            run = evaluate_due_windows(
                config,
                store,
                config_output,
                progress=partial(_print_window, config_output),
                stop=stop,
                moved=moved,
                holds_pages=True,
                deploy=lambda version_config, embedder: fits.deploy(
                    f"{file.path} {version_config.model.version}", version_config, embedder
                ),
            )
            pages.add(config, store, run.numbers)
            lost = sum(store.outbox.undelivered_of(number).total for number in run.numbers)
            again = next_attempt_at(store, run.numbers)
        beat.complete, beat.problem = not run.stopped, unreached(lost)
    config_output.progress(f"Evaluated {run.judged} windows.")
    return again


def next_attempt_at(store: Store, numbers: Iterable[int]) -> datetime | None:
    """When a receiver that was not reached is tried again; None where none waits for its time."""
    times = [event.next_attempt_at for number in numbers for event in store.outbox.pending(number)]
    return min((time for time in times if time is not None), default=None)


def _print_window(output: Output, progress: Progress) -> None:
    from monitoring.sentences.incident_text import incident_text  # noqa: PLC0415 - not needed for --help
    from monitoring.watches.descriptions import printable  # noqa: PLC0415 - as above

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
        cause = printable(incident_text(incident).cause)
        output.progress(
            f"Incident {incident.number} ({incident.level}) is {last.state}: {cause}",
            level="warning" if incident.level == "page" else "info",
            window=window.start,
            incident=incident.number,
            state=last.state,
        )
