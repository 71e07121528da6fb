"""A deployment of the flights model to measure on: the folder of a demo, given or made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.results import Settings
from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput, CannotRun


def demo_folder(settings: Settings) -> Path:
    """The folder of a finished demo.

    Cost: about two minutes the first time, less with `quick`, which replays April only.

    Args:
        settings: a demo folder, or the folder under which `pitfalls demo` runs with one seed.

    Raises:
        BadInput: the given folder is not that of a finished demo.
        CannotRun: the demo failed.
    """
    if settings.demo is not None:
        if not (settings.demo / "monitor.toml").is_file():
            raise BadInput(
                "Not a finished demo's folder.",
                got=str(settings.demo),
                expected="a folder written by `pitfalls demo --out`",
                fix="Leave --demo out, or run `make demo` first.",
            )
        return settings.demo
    out = settings.out / ("flights-april" if settings.quick else "flights")
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pitfalls_tf", "demo", "--out", str(out), "--seeds", "1", "--json"]
    command += ["--until", "2013-05-01"] if settings.quick else []
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    if done.returncode not in {0, 1}:
        raise CannotRun(
            "The demo of the flights deployment failed.",
            got=f"`pitfalls demo` ended with exit code {done.returncode}",
            expected="exit code 0, or 1 for a page",
            fix=f"Read its message above, delete {out}, and try again.",
        )
    return out


def flights_config(settings: Settings) -> MonitorConfig:
    """Load the demo's monitor.toml, with the promise that all tables of false pages have: one a year of days."""
    config = load_config(demo_folder(settings) / "monitor.toml")
    return config.model_copy(update={"budget": config.budget.model_copy(update={"page": "1 per 365 windows"})})


def config_with_own_store(demo: Path, folder: Path) -> MonitorConfig:
    """The same config with a new store in `folder`, so that the demo's store does not change."""
    for part in ("models", "traffic"):
        (folder / part).symlink_to((demo / part).resolve())
    return load_config(Path(shutil.copy(demo / "monitor.toml", folder)))
