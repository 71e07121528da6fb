"""A deployment of the flights model to measure on: a demo's folder, given or made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.results import Settings
from monitoring.config import MonitorConfig, load_config
from monitoring.errors import BadInput, CannotRun


def demo_folder(settings: Settings) -> Path:
    """The folder of a finished demo: the one given, or one seed's, made under OUT by `pitfalls demo` and kept there.

    Cost: about two minutes the first time, less with `quick`, which replays April alone. Raises BadInput or CannotRun.
    """
    if settings.demo is not None:
        if not (settings.demo / "monitor.toml").is_file():
            raise BadInput(
                "Not a finished demo's folder.",
                got=str(settings.demo),
                expected="a folder that `pitfalls demo --out` has filled",
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
            "The flights deployment could not be made.",
            got=f"`pitfalls demo` ended with exit code {done.returncode}",
            expected="exit code 0, or 1 for a page",
            fix=f"See its message above; then remove {out} and try again.",
        )
    return out


def flights_config(settings: Settings) -> MonitorConfig:
    """The demo's own monitor.toml, read."""
    return load_config(demo_folder(settings) / "monitor.toml")


def config_with_own_store(demo: Path, folder: Path) -> MonitorConfig:
    """The same settings with a fresh store in `folder`, so that the demo's own stays as it is."""
    for part in ("models", "traffic"):
        (folder / part).symlink_to((demo / part).resolve())
    return load_config(Path(shutil.copy(demo / "monitor.toml", folder)))
