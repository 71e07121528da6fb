"""Dagster definitions that run each monitor every hour: an asset for each config, its windows and pages as metadata.

Start them with ``dagster dev -f pitfalls_monitors.py``. The variable ``PITFALLS_CONFIGS`` of the environment names a
folder of configs.
"""

import json
import os
import subprocess
from pathlib import Path

import dagster

CONFIGS = Path(os.environ.get("PITFALLS_CONFIGS", "/etc/pitfalls"))


def monitor(config: Path) -> dagster.AssetsDefinition:
    """The asset of one config: what is known of its model after every due window has been judged.

    Args:
        config: The ``monitor.toml``.

    Returns:
        The asset, named after the file, or after the folder of a `monitor.toml`.
    """
    name = config.parent.name if config.name == "monitor.toml" and config.parent != CONFIGS else config.stem

    @dagster.asset(name=name.replace("-", "_"), group_name="pitfalls")
    def judged(context: dagster.AssetExecutionContext) -> dagster.MaterializeResult:
        # An open page is no failure of the run: the monitor notifies people itself.
        command = ["pitfalls", "monitor", "run", "--config", str(config), "--exit-code", "none", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        document = json.loads(done.stdout)
        context.log.info("%s windows judged", len(document["windows"]))
        open_pages = [one for one in document["incidents"] if one["level"] == "page" and one["state"] != "closed"]
        return dagster.MaterializeResult(metadata={"windows": len(document["windows"]), "open_pages": len(open_pages)})

    return judged


ASSETS = [monitor(config) for config in sorted({*CONFIGS.glob("*.toml"), *CONFIGS.glob("*/monitor.toml")})]
EVERY_HOUR = dagster.ScheduleDefinition(
    name="pitfalls_hourly",
    target=dagster.AssetSelection.groups("pitfalls"),
    cron_schedule="0 * * * *",
    default_status=dagster.DefaultScheduleStatus.RUNNING,
)
defs = dagster.Definitions(assets=ASSETS, schedules=[EVERY_HOUR] if ASSETS else [])
