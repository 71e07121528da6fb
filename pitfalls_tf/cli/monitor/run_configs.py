"""``pitfalls monitor run --configs``: every due window of many configs once, in several processes."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from monitoring.errors import BadInput, PitfallsError
from pitfalls_tf.cli.monitor.options import evaluate_due_windows, send_notifications
from pitfalls_tf.cli.monitor.scheduled import ConfigOutput
from pitfalls_tf.cli.output import Output

#: How often a config is tried whose process was killed; the last time by itself.
ATTEMPTS = 2

#: Configs that each process runs, about, before others take their places, so that memory stays bounded.
CONFIGS_OF_A_PROCESS = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigRun:
    """What the run of one config came to.

    Attributes:
        path: The config.
        windows: Windows that were judged.
        open_pages: Pages that are open after it.
        numbers: The numbers of its deployments.
        error: Why it failed, in one line; empty: it did not.
        exit_code: 2 or 3 where it failed, otherwise 0, and 1 where a page is open.
        attempts: How often it was begun.
    """

    path: Path
    windows: int = 0
    open_pages: int = 0
    numbers: tuple[int, ...] = ()
    error: str = ""
    exit_code: int = 0
    attempts: int = 1


def run_config(path: Path) -> ConfigRun:
    """Judge all that is due of one config, in a process that was started for it. New pages of teams stay pending."""
    from monitoring.config import load_config  # noqa: PLC0415 - of a process of its own
    from monitoring.notifications.routes.heartbeat import heartbeat, unreached  # noqa: PLC0415 - as above
    from monitoring.runs.idle import has_news, idle_deployment  # noqa: PLC0415 - as above
    from monitoring.store.store import Store  # noqa: PLC0415 - as above

    output = ConfigOutput(Output(as_json=False, stdout=sys.stdout), path.name)
    try:
        config = load_config(path)
        with heartbeat(config.heartbeat, output.progress) as beat:
            idle = idle_deployment(config, datetime.now(UTC))
            if idle is not None:
                lost = send_notifications(config, idle.numbers, output) if has_news(config, idle) else idle.undelivered
                beat.complete, beat.problem = True, unreached(lost)
                pages = idle.open_pages
                return ConfigRun(path=path, open_pages=pages, numbers=idle.numbers, exit_code=min(pages, 1))
            with Store.open(config.store.url) as store:
                run = evaluate_due_windows(config, store, output, progress=lambda _: None, holds_pages=True)
                lost = sum(store.outbox.undelivered_of(number).total for number in run.numbers)
                pages = sum(
                    incident.level == "page" and incident.state != "closed"
                    for number in run.numbers
                    for incident in store.incidents.tracked(number)
                )
            beat.complete, beat.problem = not run.stopped, unreached(lost)
    except PitfallsError as error:
        return ConfigRun(
            path=path, error=" ".join(str(error).split()), exit_code=2 if isinstance(error, BadInput) else 3
        )
    return ConfigRun(path=path, windows=run.judged, open_pages=pages, numbers=run.numbers, exit_code=min(pages, 1))


def _leave_interrupts() -> None:
    """Leave Ctrl-C, which the terminal sends to every process, to the one that began the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_configs(
    paths: Sequence[Path],
    workers: int,
    *,
    ended: Callable[[ConfigRun], None],
    stop: Callable[[], bool] = lambda: False,
    run: Callable[[Path], ConfigRun] = run_config,
) -> None:
    """Run configs in several processes. One that fails, or whose process is killed, stops no other.

    Args:
        paths: The configs.
        workers: How many processes.
        ended: Called with each config's result, as they come.
        stop: Whether to begin no more.
        run: Runs one config; a function of a module.
    """
    waiting = deque(ConfigRun(path=path, attempts=0) for path in paths)
    suspects: deque[ConfigRun] = deque()
    while (waiting or suspects) and not stop():
        alone = not waiting  # those that ran when a process died: each by itself, so that the guilty one is known
        queue = suspects if alone else waiting
        begun: dict[Future[ConfigRun], ConfigRun] = {}
        context = multiprocessing.get_context("spawn")
        size = 1 if alone else workers
        left = CONFIGS_OF_A_PROCESS * size
        with ProcessPoolExecutor(size, mp_context=context, initializer=_leave_interrupts) as pool:
            while ((queue and left) or begun) and not stop():
                while queue and left and len(begun) < size:
                    config_run, left = queue.popleft(), left - 1
                    begun[pool.submit(run, config_run.path)] = replace(config_run, attempts=config_run.attempts + 1)
                done, _ = wait(begun, timeout=1.0, return_when=FIRST_COMPLETED)
                try:
                    for future in done:
                        result = future.result()
                        del begun[future]
                        ended(result)
                except BrokenProcessPool:
                    for config_run in begun.values():
                        if config_run.attempts < ATTEMPTS:
                            suspects.append(config_run)
                        else:
                            text = "Its process was killed, perhaps by the system for the memory that it took."
                            ended(replace(config_run, error=text, exit_code=3))
                    break
            else:
                for future in begun:  # stopped: what has begun is finished, and nothing else begins
                    ended(future.result())
