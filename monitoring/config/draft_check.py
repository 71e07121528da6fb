"""A draft checked as the file it will be, each problem told by the option that it came from."""

from __future__ import annotations

import re
from pathlib import Path

from monitoring.config.draft import ConfigDraft, render_config
from monitoring.config.loading import parse_config
from monitoring.config.problems import Problem
from monitoring.config.sections import MonitorConfig
from monitoring.errors import BadInput

#: The options of `pitfalls monitor init` whose names are not their key's.
_OPTIONS = {"[traffic] path": "--traffic", "[traffic] scores": "--score", "[model] baseline": "--out"}


def config_of(draft: ConfigDraft, folder: Path) -> MonitorConfig:
    """The config that a draft would be as a file in `folder`. Raises BadInput that lists every problem, one a line."""
    found = parse_config(render_config(draft), folder.absolute())
    if isinstance(found, MonitorConfig):
        return found
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    listed = "\n".join(f"  {problem.told(_option(problem))}" for problem in found)
    raise BadInput("No config can be made of this.", got=count, expected="none", fix=f"Mend each of these:\n{listed}")


def _option(problem: Problem) -> str:
    """Where a problem came from, as the command line has it: ``--every``."""
    key = re.sub(r" \d+$", "", problem.place)
    return _OPTIONS.get(key, f"--{key.partition(' ')[2].replace('_', '-')}")
