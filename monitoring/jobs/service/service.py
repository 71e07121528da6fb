"""The scheduler: any number of configs, each run at its own times, until it is stopped."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.errors import AnotherRun, PitfallsError
from monitoring.jobs.service.config_watch import ConfigWatch

if TYPE_CHECKING:
    from apscheduler.events import JobExecutionEvent
    from apscheduler.schedulers.background import BackgroundScheduler

#: Seconds between two looks at the config files.
LOOK_SECONDS = 2.0

#: Seconds after the first failure of a config's run until the next one; doubled with each further failure, up to a
#: bound.
RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 900.0

#: A clock that steps by more than this was set, or the machine slept.
CLOCK_STEP_SECONDS = 30.0

#: One run of a config: judges what is due until the function says to stop. Raises PitfallsError.
Run = Callable[[ConfigFile, MonitorConfig, Callable[[], bool]], None]


@dataclass(slots=True, kw_only=True, eq=False)
class _Scheduled:
    """A config under the scheduler, and how its runs have gone."""

    file: ConfigFile
    failures: int = 0
    failure: str = ""
    running: bool = False
    again: bool = False
    removed: threading.Event = field(default_factory=threading.Event)

    def shown(self) -> ConfigFile:
        """The file as people see it, with what is wrong with it or with its last run."""
        problem = self.file.problem or (f"The last run failed. {self.failure}" if self.failure else "")
        return ConfigFile(path=self.file.path, config=self.file.config, problem=problem)


class MonitorService:
    """Runs configs, each at once and then at the times of its cron expression, in its time zone.

    A file that is added, changed or removed is taken up while the service runs. One that becomes wrong is reported, and
    runs as it was before. Of one config there is one run at a time, of all so many as the service may run at once: a
    time that falls into a run is made up for after it. A run that fails is reported, and is repeated after a minute,
    two, four, and so on up to a quarter of an hour, until it succeeds; it stops no other. Several services may have the
    same configs: what one of them is judging, the others look at again after a minute.
    """

    def __init__(
        self,
        watch: ConfigWatch,
        run: Run,
        *,
        concurrency: int,
        clock: Callable[[], datetime],
        report: Callable[[str, str], None],
    ) -> None:
        """Has not read any config yet.

        Args:
            watch: Finds the configs.
            run: Runs one; called in threads.
            concurrency: How many runs at once.
            clock: Gives the time, aware.
            report: Takes the name of a config and a line about it; called in threads.
        """
        self._watch, self._run = watch, run
        self._clock, self._report = clock, report
        self._concurrency = concurrency
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ahead = clock().timestamp() - time.monotonic()
        self._scheduled: dict[str, _Scheduled] = {}
        self._planned: dict[str, datetime] = {}
        self._files: tuple[ConfigFile, ...] = ()

    @property
    def files(self) -> tuple[ConfigFile, ...]:
        """All configs as they are now, each with its problem; another object after each change."""
        return self._files

    def run(self, stop: threading.Event) -> None:
        """Run until the event is set; runs in progress then end between two windows. Blocks.

        Args:
            stop: Ends the service.
        """
        scheduler = self._scheduler()
        self._stop = stop
        scheduler.start()
        try:
            self._look(scheduler)
            while not stop.wait(LOOK_SECONDS):
                self._check_clock(scheduler)
                self._plan(scheduler)
                self._look(scheduler)
        finally:
            stop.set()
            scheduler.shutdown(wait=True)

    def _scheduler(self) -> BackgroundScheduler:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED  # noqa: PLC0415  # a tenth of a second
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415  # as above
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415  # as above

        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what it says of runs is reported here
        scheduler = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(self._concurrency)})
        scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        return scheduler

    def _check_clock(self, scheduler: BackgroundScheduler) -> None:
        """Run every config now if the clock was set, or the machine slept: the times that were planned are wrong."""
        now, ahead = self._clock(), self._clock().timestamp() - time.monotonic()
        if abs(ahead - self._ahead) > CLOCK_STEP_SECONDS:
            for job in scheduler.get_jobs():
                with suppress(LookupError):
                    job.modify(next_run_time=now)
        self._ahead = ahead

    def _plan(self, scheduler: BackgroundScheduler) -> None:
        """Give runs that have ended their next times.

        Not as soon as they end: a run that fails at once may end before the scheduler has noted its next time by the
        cron expression, which would replace this one.
        """
        with self._lock:
            planned, self._planned = self._planned, {}
        for name, when in planned.items():
            with suppress(LookupError):
                scheduler.modify_job(name, next_run_time=when)

    def _look(self, scheduler: BackgroundScheduler) -> None:
        """Take up what has changed of the config files."""
        changes = self._watch.look()
        for path in changes.removed:
            with self._lock:
                gone = self._scheduled.pop(str(path))
            gone.removed.set()
            with suppress(LookupError):
                scheduler.remove_job(str(path))
            self._report(gone.file.name, "Removed: it is not run any more.")
        for file in changes.read:
            self._take_up(scheduler, file)
        if changes.read or changes.removed:
            self._show()

    def _take_up(self, scheduler: BackgroundScheduler, file: ConfigFile) -> None:
        """Schedule a config that is new or has changed; one that is wrong goes on as it was before."""
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # a tenth of a second

        name = str(file.path)
        known = self._scheduled.get(name)
        if file.config is None:
            goes_on = known is not None and known.file.config is not None
            then = " It runs as it was before." if goes_on else ""
            self._report(file.name, f"The config is wrong, and is read again once it changes.{then} {file.problem}")
            config = known.file.config if known is not None else None
            self._put(name, ConfigFile(path=file.path, config=config, problem=file.problem))
            return
        self._put(name, file)
        cron, timezone = file.config.schedule.cron, file.config.windows.timezone
        trigger = CronTrigger.from_crontab(cron, timezone=timezone)
        scheduler.add_job(
            self._begin,
            trigger,
            [name],
            id=name,
            next_run_time=self._clock(),
            max_instances=2,  # one that runs, and one that waits
            coalesce=True,
            misfire_grace_time=None,
            replace_existing=True,
        )
        self._report(file.name, f"Scheduled: now, and at {cron!r} ({timezone}).")

    def _put(self, name: str, file: ConfigFile) -> None:
        with self._lock:
            known = self._scheduled.setdefault(name, _Scheduled(file=file))
            known.file, known.failures = file, 0
            self._planned.pop(name, None)

    def _begin(self, name: str) -> bool:
        """Run a config, unless it is running already: that run is then repeated. Says whether it was run."""
        with self._lock:
            one = self._scheduled.get(name)
            if one is None or one.file.config is None or self._stop.is_set():
                return False
            if one.running:
                one.again = True
                return False
            one.running = True
            config = one.file.config
        try:
            self._run(one.file, config, lambda: self._stop.is_set() or one.removed.is_set())
        finally:
            one.running = False
        return True

    def _ended(self, event: JobExecutionEvent) -> None:
        """Note how a run ended, and when the next one is if that is sooner, or later, than its schedule says."""
        name, error = event.job_id, event.exception
        with self._lock:
            one = self._scheduled.get(name)
            if one is None or (error is None and not event.retval):
                return
            busy = isinstance(error, AnotherRun)
            failed = error is not None and not busy
            was, one.failure = one.failure, (str(error) or type(error).__name__) if failed else ""
            one.failures = one.failures + 1 if failed else 0
            wait = 0.0 if error is None else retry_seconds(max(one.failures, 1))
            soon, one.again = one.again, False
            if error is not None or soon:
                self._planned[name] = self._clock() + timedelta(seconds=wait)
        if busy:
            self._report(one.file.name, f"Another run is judging it: looked at again in {wait:.0f} s.")
        elif error is not None:
            trace = "" if isinstance(error, PitfallsError) else "".join(traceback.format_exception(error))
            text = f"a defect of pitfalls.\n{trace}" if trace else f"{error} "
            self._report(one.file.name, f"Error: {text}The next run retries, in {wait:.0f} s.")
        if was != one.failure:
            self._show()

    def _show(self) -> None:
        with self._lock:
            self._files = tuple(self._scheduled[name].shown() for name in sorted(self._scheduled))


def retry_seconds(failures: int) -> float:
    """How long a config waits for its next run after failures.

    Args:
        failures: How many times in a row its run has failed.

    Returns:
        Seconds.

    >>> [retry_seconds(number) for number in (1, 2, 3, 4, 5, 99)]
    [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    """
    return min(RETRY_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_RETRY_SECONDS)
