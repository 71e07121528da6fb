"""Signals to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from monitoring.runs.stopping import stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_the_handlers_are_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stopping() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) is before


def test_handlers_are_restored_if_the_block_raises() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ValueError, match="no"), stopping():
        raise ValueError("no")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("signals", [1, 2])
def test_a_process_whose_window_goes_on_is_ended_in_time(signals: int) -> None:
    code = (
        "import time\nfrom monitoring.runs import stopping\n"
        f"stopping.STOP_SECONDS = {0.3 if signals == 1 else 600.0}\n"
        "with stopping.stopping():\n    print('judging', flush=True)\n    time.sleep(60)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "judging\n"
        for _ in range(signals):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        assert process.wait(10) == 128 + signal.SIGTERM
