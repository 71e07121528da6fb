"""A run of a config that takes its process with it, in a module that a process loads at once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pitfalls_tf.cli.monitor.run_configs import ConfigRun


def killed_or_done(path: Path) -> ConfigRun:
    """Stands for a run: that of a config called killer takes its process with it."""
    if path.stem == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    return ConfigRun(path=path, windows=1)
