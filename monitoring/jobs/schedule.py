"""The long-running job: every window that is due, at the times of a cron expression, in the foreground."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitoring.errors import PitfallsError

if TYPE_CHECKING:
    from apscheduler.events import JobExecutionEvent


#: Seconds that a window may still take after the signal to stop.
STOP_SECONDS = 10.0


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Handle SIGTERM and SIGINT for as long as the context lasts. To be entered in the main thread, as Python demands.

    A process that has not stopped after `STOP_SECONDS`, as a server does not answer or a window is long, is ended as by
    `kill -9`, which loses nothing: the window is judged again. So is one that gets a second signal.

    Yields:
        An event that either signal sets: a run that is to stop between windows checks it.
    """
    stop = threading.Event()

    def end(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signal.SIGTERM))
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def run_on_schedule(
    cron: str,
    job: Callable[[], None],
    *,
    timezone: str,
    stop: threading.Event,
    on_error: Callable[[PitfallsError], None],
) -> None:
    """Run a job now and at every time of a cron expression, until it is stopped. Blocks.

    One run at a time: a time that falls into a run is skipped, and the next run does all that is due. A run that fails
    with a PitfallsError (no connection to the store, another run holding the lease) is reported, and the next one tries
    again; any other error ends the schedule and is raised.

    Args:
        cron: the cron expression, of five fields.
        job: what is run.
        timezone: the zone of the expression's times.
        stop: ends the schedule when it is set.
        on_error: called with a PitfallsError of the job.
    """
    from apscheduler.events import EVENT_JOB_ERROR  # noqa: PLC0415  # only the schedule needs the library
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415  # as above
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # as above

    defects: list[BaseException] = []

    def tick() -> None:
        try:
            job()
        except PitfallsError as error:
            on_error(error)

    def ended(event: JobExecutionEvent) -> None:
        defects.append(event.exception)
        stop.set()

    tick()
    if stop.is_set():
        return
    scheduler = BackgroundScheduler(timezone=timezone)
    trigger = CronTrigger.from_crontab(cron, timezone=timezone)
    scheduler.add_job(tick, trigger, max_instances=1, coalesce=True, misfire_grace_time=None)
    scheduler.add_listener(ended, EVENT_JOB_ERROR)
    scheduler.start()
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)
    if defects:
        raise defects[0]
