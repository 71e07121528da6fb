"""``python -m benchmarks.instruction_steps STEP FOLDER``: a step of `benchmarks.instructions` in a warm process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from monitoring.config import load_config
from monitoring.runs.idle import has_news, idle_deployment
from pitfalls_tf.cli.monitor.run_configs import run_config

#: Two deployments of a kind: the first one makes the process warm, and the second one is counted.
MONITORS = ("first", "second")

IDLE_CYCLES = 10


def mark() -> None:
    """Begin or end what is counted: valgrind writes its counts where this function of C is entered."""
    os.getpgid(0)


def due(folder: Path) -> None:
    """Judge what is due of the second config, after that of the first one."""
    first, second = (folder / name / "monitor.toml" for name in MONITORS)
    assert run_config(first).windows
    mark()
    result = run_config(second)
    mark()
    assert result.windows, result


def idle(folder: Path) -> None:
    """Look ten times at a deployment of which nothing is due, as a service does, after a first look."""
    config, now = load_config(folder / MONITORS[0] / "monitor.toml"), datetime.now(UTC)
    for cycle in range(IDLE_CYCLES + 1):
        found = idle_deployment(config, now)
        assert found is not None
        assert not has_news(config, found)
        if cycle == 0:
            mark()
    mark()


STEPS: dict[str, Callable[[Path], None]] = {"due": due, "idle": idle}

if __name__ == "__main__":
    STEPS[sys.argv[1]](Path(sys.argv[2]))
