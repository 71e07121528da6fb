"""A draft checked as the file it will be; errors name the command-line option that they come from."""

from __future__ import annotations

import re
from pathlib import Path

from monitoring.config.draft import ConfigDraft, render_config
from monitoring.config.loading import parse_config
from monitoring.config.problems import ConfigProblem
from monitoring.config.sections import MonitorConfig
from monitoring.errors import InvalidSettings

#: The options of `pitfalls monitor init` whose names are not their key's.
_OPTIONS = {"[traffic] path": "--traffic", "[traffic] scores": "--score", "[model] baseline": "--out"}


def check_draft(draft: ConfigDraft, folder: Path) -> MonitorConfig:
    """Check a draft as a file in a folder.

    Args:
        folder: The folder at which relative paths start.

    Raises:
        InvalidSettings: The draft has errors.
    """
    result = parse_config(render_config(draft), folder.absolute())
    if isinstance(result, MonitorConfig):
        return result
    raise InvalidSettings("the command", [problem.at(_option(problem)) for problem in result])


def _option(problem: ConfigProblem) -> str:
    """The option that a problem comes from, such as ``--every``."""
    if problem.place.startswith("[[metric]]"):
        return "--metric"
    key = re.sub(r" \d+$", "", problem.place)
    return _OPTIONS.get(key, f"--{key.partition(' ')[2].replace('_', '-')}")
