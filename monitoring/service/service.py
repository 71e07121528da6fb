"""The scheduler: any number of configs, each run at its own times, until it is stopped."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.errors import AnotherRun, PitfallsError
from monitoring.service.config_watch import ConfigWatch
from monitoring.service.registry import ConfigRegistry
from monitoring.service.workers import QueueState, Workers

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

#: Seconds between two looks at the config files.
LOOK_SECONDS = 2.0

#: Seconds after the first failure of a config's run until the next one; doubled with each further failure, up to a
#: bound.
RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 900.0

#: A clock that steps by more than this was set, or the machine slept.
CLOCK_STEP_SECONDS = 30.0

#: One run of a config: judges what is due until the function says to stop, and says when a receiver that was not
#: reached is to be tried again; None where nothing waits. Raises PitfallsError.
Run = Callable[[ConfigFile, MonitorConfig, Callable[[], bool]], datetime | None]

#: Seconds between two lines about a folder of configs that cannot be read.
_FOLDER_SECONDS = 60.0


#: What is said of a config that has vanished.
MISSING = (
    "Its file is gone, and nobody monitors it. It is run again once the file is back; `pitfalls monitor remove` says "
    "that it was removed on purpose."
)

#: The name of the thread in which the scheduler gives configs their turns.
SCHEDULER_THREAD = "APScheduler"


@dataclass(slots=True, kw_only=True, eq=False)
class _Scheduled:
    """A config under the scheduler, and how its runs have gone."""

    file: ConfigFile
    failures: int = 0
    failure: str = ""
    is_submitted: bool = False
    again: bool = False
    missing: bool = False
    has_run: bool = False
    removed: threading.Event = field(default_factory=threading.Event)

    def shown(self) -> ConfigFile:
        """The file as people see it, with what is wrong with it or with its last run."""
        problem = self.file.problem or (f"The last run failed. {self.failure}" if self.failure else "")
        if self.missing:
            problem = MISSING
        return replace(self.file, problem=problem, is_missing=self.missing, is_waiting=not self.has_run)


class MonitorService:
    """Runs configs, each at once and then at the times of its cron expression, in its time zone.

    A file that is added or changed is taken up while the service runs. One that vanishes is missing: it is not run, and
    stays in the list until it is back, or a person says that it was removed on purpose. One that becomes wrong is
    reported, and runs as it was before. Of one config there is one run at a time, of all so many as the service may run
    at once: a time that falls into a run is made up for after it. A run that fails is reported, and is repeated after a
    minute, two, four, and so on up to a quarter of an hour, until it succeeds; it stops no other. A run that hangs is
    reported, and others run beside it. Several services may have the same configs: what one of them is judging, the
    others look at again after a minute.

    Attributes:
        between: Called every few seconds with the runs that wait and go on, and once after the last of them.
    """

    def __init__(
        self,
        watch: ConfigWatch,
        run: Run,
        *,
        workers: Workers,
        clock: Callable[[], datetime],
        report: Callable[[str, str, str], None],
        registry: ConfigRegistry | None = None,
    ) -> None:
        """Has not read any config yet.

        Args:
            registry: The configs that are to be there; None: those that this process has found.
        """
        self._watch, self._run = watch, run
        self.between: Callable[[QueueState], object] = lambda _: None
        self._clock, self._report = clock, report
        self._workers = workers
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ahead = clock().timestamp() - time.monotonic()
        self._scheduled: dict[str, _Scheduled] = {}
        self._planned: dict[str, datetime] = {}
        self._sooner: dict[str, datetime] = {}
        self._files: tuple[ConfigFile, ...] = ()
        self._registry = registry or ConfigRegistry(None)
        self._folder_told = -_FOLDER_SECONDS

    @property
    def files(self) -> tuple[ConfigFile, ...]:
        """All configs as they are now, each with its problem; another object after each change."""
        return self._files

    @property
    def queue(self) -> QueueState:
        """The runs that wait and those that run, at this moment."""
        return self._workers.state()

    def run(self, stop: threading.Event, alive: Callable[[], None] = lambda: None) -> None:
        """Run until the event is set; runs in progress then end between two windows. Blocks.

        Args:
            alive: Called each time when all configs were looked at and the scheduler runs; not while either hangs.
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
                self._find_stalled()
                self.between(self._workers.state())
                if any(thread.name == SCHEDULER_THREAD for thread in threading.enumerate()):
                    alive()
        finally:
            stop.set()
            scheduler.shutdown(wait=True)
            self._workers.close()
            self.between(QueueState())

    def _scheduler(self) -> BackgroundScheduler:
        from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415  # a tenth of a second
        from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415  # as above

        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what it says of runs is reported here
        return BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(1)})

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
            sooner, self._sooner = self._sooner, {}
        for name, when in planned.items():
            with suppress(LookupError):
                scheduler.modify_job(name, next_run_time=when)
        for name, when in sooner.items():
            job = scheduler.get_job(name)
            if job is not None and job.next_run_time is not None and when < job.next_run_time:
                job.modify(next_run_time=max(when, self._clock()))

    def _look(self, scheduler: BackgroundScheduler) -> None:
        """Take up what has changed of the config files."""
        try:
            changes = self._watch.look()
        except OSError as error:  # the folder, or this process: no config is known to be gone
            if time.monotonic() - self._folder_told >= _FOLDER_SECONDS:
                self._folder_told = time.monotonic()
                self._report("configs", f"The configs cannot be looked at: {error}. They run as they were.", "error")
            return
        for path in changes.removed:
            self._lose(scheduler, path)
        for file in changes.read:
            self._take_up(scheduler, file)
        forgotten = self._expect([file.path for file in changes.read])
        if changes.read or changes.removed or forgotten:
            self._show()

    def _lose(self, scheduler: BackgroundScheduler, path: Path) -> None:
        """Stop running a config whose file is gone, and keep it in the list."""
        with self._lock:
            gone = self._scheduled[str(path)]
            gone.missing = True
        gone.removed.set()
        with suppress(LookupError):
            scheduler.remove_job(str(path))
        self._report(gone.file.name, f"Missing: {MISSING}", "error")

    def _expect(self, paths: Iterable[Path]) -> bool:
        """Expect the configs that were found, list those that are missing, and drop those removed on purpose."""
        try:
            self._registry.add(paths, self._clock())
            expected = self._registry.read()
        except PitfallsError as error:
            if time.monotonic() - self._folder_told >= _FOLDER_SECONDS:
                self._folder_told = time.monotonic()
                self._report("configs", f"Error: {error}", "error")
            expected = self._registry.configs
        with self._lock:
            missing = {name for name, scheduled in self._scheduled.items() if scheduled.missing}
            dropped = [self._scheduled.pop(name) for name in missing if Path(name) not in expected]
            new = [path for path in expected if str(path) not in self._scheduled]
            for path in new:
                file = ConfigFile(path=path, config=None, problem=MISSING)
                self._scheduled[str(path)] = _Scheduled(file=file, missing=True, has_run=True)
        for scheduled in dropped:
            self._report(scheduled.file.name, "Removed on purpose: it is not expected any more.", "info")
        for path in new:
            self._report(ConfigFile(path=path, config=None).name, f"Missing: {MISSING}", "error")
        return bool(dropped or new)

    def _take_up(self, scheduler: BackgroundScheduler, file: ConfigFile) -> None:
        """Schedule a config that is new or has changed; one that is wrong goes on as it was before."""
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  # a tenth of a second

        name = str(file.path)
        scheduled = self._scheduled.get(name)
        if file.config is None:
            goes_on = scheduled is not None and scheduled.file.config is not None
            then = " It runs as it was before." if goes_on else ""
            wrong = f"The config is wrong, and is read again once it changes.{then} {file.problem}"
            self._report(file.name, wrong, "error")
            config = scheduled.file.config if scheduled is not None else None
            self._put(name, ConfigFile(path=file.path, config=config, problem=file.problem))
            return
        self._put(name, file)
        cron, timezone = file.config.schedule.cron, file.config.windows.timezone
        trigger = CronTrigger.from_crontab(cron, timezone=timezone)
        scheduler.add_job(
            self._ask,
            trigger,
            [name],
            id=name,
            next_run_time=self._clock(),
            coalesce=True,
            misfire_grace_time=None,
            replace_existing=True,
        )
        self._report(file.name, f"Scheduled: now, and at {cron!r} ({timezone}).", "info")

    def _put(self, name: str, file: ConfigFile) -> None:
        with self._lock:
            scheduled = self._scheduled.setdefault(name, _Scheduled(file=file))
            if scheduled.missing:
                scheduled.missing, scheduled.removed = False, threading.Event()
            scheduled.file, scheduled.failures = file, 0
            self._planned.pop(name, None)

    def _ask(self, name: str) -> None:
        """Let a config run when its turn comes; one that runs or waits already is run once more after that."""
        with self._lock:
            scheduled = self._scheduled.get(name)
            if scheduled is None:
                return
            if scheduled.is_submitted:
                scheduled.again = True
                return
            scheduled.is_submitted = True
        self._workers.submit(scheduled.file.name, lambda alive: self._work(name, scheduled, alive))

    def _work(self, name: str, scheduled: _Scheduled, alive: Callable[[], None]) -> None:
        """Run a config, and note how that ended."""
        with self._lock:
            config, removed, scheduled.again = scheduled.file.config, scheduled.removed, False
        error: Exception | None = None
        next_attempt = None

        def stop() -> bool:
            alive()
            return self._stop.is_set() or removed.is_set()

        try:
            if config is not None and not stop():
                next_attempt = self._run(scheduled.file, config, stop)
        except Exception as failed:  # noqa: BLE001 - whatever it is, it stops no other config
            error = failed
        with self._lock:
            scheduled.is_submitted = False
            if removed.is_set() and scheduled.again and not scheduled.missing:  # its file is back
                self._planned[name] = self._clock()
        if not removed.is_set() and not self._stop.is_set():
            self._ended(name, scheduled, error, next_attempt)

    def _ended(self, name: str, scheduled: _Scheduled, error: Exception | None, next_attempt: datetime | None) -> None:
        """Note how a run ended, and when the next one is if that is sooner, or later, than its schedule says."""
        busy = isinstance(error, AnotherRun)
        failed = error is not None and not busy
        with self._lock:
            was, scheduled.failure = scheduled.failure, (str(error) or type(error).__name__) if failed else ""
            scheduled.failures = scheduled.failures + 1 if failed else 0
            wait = 0.0 if error is None else retry_seconds(max(scheduled.failures, 1))
            first, scheduled.has_run = not scheduled.has_run, True
            if error is not None or scheduled.again:
                self._planned[name] = self._clock() + timedelta(seconds=wait)
            elif next_attempt is not None:
                self._sooner[name] = next_attempt
        if busy:
            self._report(scheduled.file.name, f"Another run is judging it: looked at again in {wait:.0f} s.", "info")
        elif error is not None:
            trace = "" if isinstance(error, PitfallsError) else "".join(traceback.format_exception(error))
            text = f"a defect of pitfalls.\n{trace}" if trace else f"{error} "
            self._report(scheduled.file.name, f"Error: {text}The next run retries, in {wait:.0f} s.", "error")
        if was != scheduled.failure or first:
            self._show()

    def _find_stalled(self) -> None:
        """Name the runs that hang; others have begun in their places."""
        for name in self._workers.stalled():
            text = f"The run has judged nothing for {self._workers.patience:.0f} s, and may hang: others run beside it."
            self._report(name, f"Error: {text}", "error")
            with self._lock:
                for scheduled in self._scheduled.values():
                    if scheduled.file.name == name:
                        scheduled.failure = text
            self._show()

    def _show(self) -> None:
        with self._lock:
            self._files = tuple(self._scheduled[name].shown() for name in sorted(self._scheduled))


def retry_seconds(failures: int) -> float:
    """How long a config waits for its next run after failures.

    >>> [retry_seconds(number) for number in (1, 2, 3, 4, 5, 99)]
    [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    """
    return min(RETRY_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_RETRY_SECONDS)
