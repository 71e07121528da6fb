"""``pitfalls monitor schedule`` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitoring.store.store import Store
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]


def _scheduled(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pitfalls_tf", "monitor", "schedule", "--config", str(folder / "monitor.toml")]
    return subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )


def _evaluated(folder: Path) -> list[Any]:
    with Store.open(f"sqlite:///{folder / 'pitfalls.db'}") as store:
        number = store.deployments.latest("flights")
        return [] if number is None else [window.start for window in store.windows.read(number, scores=False)]


def test_the_schedule_stops_on_sigterm_and_evaluates_every_window_once_after_restarts(
    deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=12))
    # The first is stopped after its first window, the second after all windows, while it waits for its next time.
    for sign in (" ok (", "Evaluated"):
        process = _scheduled(deployed)
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if sign in line or (" notice (" in line and sign == " ok ("):
                break
        process.send_signal(signal.SIGTERM)
        rest = threading.Thread(target=process.stderr.read)
        rest.start()
        assert process.stdout is not None
        document = json.loads(process.stdout.read())
        code = process.wait(60)
        rest.join(10)
        process.stdout.close()
        process.stderr.close()
        assert code == 0, seen
        assert document["model"] == "flights"
    evaluated = _evaluated(deployed)
    assert len(evaluated) == len(set(evaluated)) == 12


def test_an_unreachable_store_is_reported_and_retried(deployed: Path, send: Callable[..., None], days: Any) -> None:
    send(deployed, days(days=2))
    away = deployed / "away"
    away.write_text("a file where a folder is needed")
    config = deployed / "monitor.toml"
    text = config.read_text().replace("sqlite:///pitfalls.db", "sqlite:///away/pitfalls.db")
    config.write_text(text + '[schedule]\ncron = "* * * * *"\n')
    process = _scheduled(deployed)
    assert process.stderr is not None
    lines = [process.stderr.readline(), process.stderr.readline()]
    assert "Scheduled: now, and at '* * * * *' (UTC)." in lines[0]
    assert "The next run retries, in 60 s." in lines[1]
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, "")
    assert "No window has been judged yet." in errors
