"""A new config: the commented file that settings make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from monitoring.config.loading import validated
from monitoring.config.problems import ConfigProblem
from monitoring.config.routes import ROUTES
from monitoring.config.sections import SECTIONS, MonitorConfig
from monitoring.config.toml_values import toml_key, toml_value
from monitoring.errors import InvalidSettings

#: Settings by section, as a file has them: values by key, and lists of such sections for `metric`, `rule` and others.
Settings: TypeAlias = Mapping[str, Any]

#: The false pages that a new config promises, of windows of a day one in five years. A config without a
#: promise has one in 365 windows, as in earlier releases.
PAGE_BUDGET = "1 per 1825 windows"

# A line of a template is a setting with the value that it has where nothing is said; `#?` and an example, which gives
# way to a value; or a key alone, which is written with the comment above it where it has a value.

_OF_LOG = """\
[model]
# A model's folder (every version with rows in the log is monitored), or the folder of one version.
bundle
# The output that holds one probability per class.
probabilities = "probabilities"
# Which quantile of the label the predicted number is.
quantile
"""

_OF_TABLE = """\
[model]
# The baseline, made from the reference table.
baseline
# The classes, in the order of the scores.
classes
# Which quantile of the label the predicted number is.
quantile
"""

_TRAFFIC = """\
#? path = "live/*.parquet"
# Category inputs whose values are watched as slices too.
slices = []
# Losses by true class ("label": recall) and by predicted class ("predicted": precision).
#? class_slices = ["label", "predicted"]
"""

_LOG = """\
[traffic]
# The traffic log that the server writes.
{traffic}\
# Callers whose rows do not count, by the name of their token or certificate, or by address.
#? exclude_callers = ["load-test"]
"""

_TABLE = """\
[traffic]
# The table: a file, a folder or a pattern; Parquet or CSV. `monitor run --traffic` overrides it.
{traffic}\
# The table's columns. Without a prediction_id, rows are identified by file and position. Labels may arrive later.
event_time = "event_time"
prediction_id = "prediction_id"
label
# {several}, in the order of the scores.
label_columns
label_time = "label_time"
# The time zone of timestamps without one.
naive_timezone = "UTC"
# Of each output: `scores`, as of one output, or `predicted`, a class or a number; and its label.
outputs
# The probability of the second class, one column per class, or a column of lists; or `predicted`: class, number, ids.
scores
predicted
# The scores of the ids.
id_scores
# A separate table of labels, with the same column names.
# labels = "labels/*.parquet"
"""

_DEPLOYMENT = """\
# The deployment's name in the store; configs that share a store need one each.
# [deployment]
# team = "credit"
# tags = ["eu"]
# name = "lender-eu"
"""

_WINDOWS = f"""\
[windows]
# Length of a window: whole days (7d: weeks from Monday), or hours or minutes that divide a day evenly.
every = "1d"
# Or a number of rows in order of event time; `every` is ignored then.
#? rows = 5000
timezone = "UTC"
# Allowed lateness: how long after its end a window waits for late rows and labels.
lateness = "6h"
# A watch with fewer rows than this pools them with the next window.
min_rows = 200
# Longest label delay: labels that arrive later are ignored.
label_horizon = "7d"

[budget]
# False alarms of the whole deployment, whatever the number of inputs and slices; 1825 days are five years.
page = "{PAGE_BUDGET}"
notice = "1 per 30 windows"

# How many labels people can give: `pitfalls labels ask` draws so many rows for them.
# [labels]
# budget = "50 per week"

[tolerance]
# A rise up to this is tolerated, in the metric's own unit.
error = 0.02
#? brier = 0.01
integrity = 0.01

# What a row costs: a row for each true class, a number for each answer, in the order of the classes.
# [cost]
# matrix = [[0.0, 1.0], [10.0, 0.0]]
"""

_METRIC = """\
# A metric of your own: a function of labelled rows, which returns a number in [0, 1] for each.
# [[metric]]
# name = "missed_calls"
# function = "my_metrics:missed_calls"
# inputs = ["distance"]
"""

_LAST = f"""\
# Days on which traffic is known to differ; they are tested once the event has been seen twice.
# [[expected]]
# name = "Black Friday"
# dates = [2025-11-28, 2026-11-27]

# Who is notified; routes besides: {", ".join(list(ROUTES)[1:])}.
# [[notify]]
# webhook = "https://hooks.example.org/pitfalls"
# level = "page"

[schedule]
# Minute, hour, day, month, day of the week (by name).
cron = "15 * * * *"

[store]
url = "sqlite:///pitfalls.db"
"""

_DICTIONARY = """\
# The data dictionary: what each column is in the baseline. Another kind or role needs `pitfalls monitor init` again,
# with --dictionary and this file; unit and description are shown, and may be changed.
"""

_SECTION = re.compile(r"^(?=\[\w+\]$)", re.MULTILINE)
_HEADER = re.compile(r"\[(\w+)\]")
_LINE = re.compile(r"^(#\? )?(\w+)( = .*)$", re.MULTILINE)
_KEYS = re.compile(r"^((?:# .*\n)?)((?:\w+\n)+)", re.MULTILINE)


def render_config(settings: Settings, answers: str = "") -> str:
    """Write a config as TOML: settings in their places, each with its meaning in a comment, others after them.

    Args:
        answers: What a table's model answers, in a sentence; stands for its classes where it has none.
    """
    of_table = "baseline" in settings["model"]
    several = "A row may have several classes: a 0 or 1 for each"
    several = several if settings["model"].get("classes") else "A number for each that is predicted"
    model = _OF_TABLE if of_table else _OF_LOG
    if answers:
        model = model.replace("# The classes, in the order of the scores.\nclasses\n", f"# {answers}\n")
    traffic = (_TABLE if of_table else _LOG).format(traffic=_TRAFFIC, several=several)
    rest = {name: dict(values) if isinstance(values, Mapping) else values for name, values in settings.items()}
    metrics = [f"[[metric]]\n{''.join(map(_line, metric, metric.values()))}" for metric in rest.pop("metric", ())]
    columns = rest.pop("columns", {})
    blocks = [
        "# Settings of `pitfalls monitor`. Relative paths start at this file's folder.\n",
        *(_filled(template, rest) for template in (model, _DEPLOYMENT, traffic, _WINDOWS)),
        *(metrics or [_METRIC]),
        _filled(_LAST, rest),
        *([f"{_DICTIONARY}[columns]\n{''.join(map(_line, columns, columns.values()))}"] if columns else []),
    ]
    text, rest = "\n".join(blocks), {name: values for name, values in rest.items() if values}
    if not rest:
        return text
    from monitoring.config.config_text import with_settings  # noqa: PLC0415 - loads a parser

    return with_settings(text, rest)


def _filled(template: str, settings: Mapping[str, Any]) -> str:
    """A template with values in their places; they are taken out of the settings."""
    parts = []
    for part in _SECTION.split(template):
        header = _HEADER.match(part)
        values = settings.get(header[1], {}) if header else {}
        lines = _KEYS.sub(partial(_of_keys, values), part)
        parts.append(_LINE.sub(partial(_of_line, values), lines))
    return "".join(parts)


def _of_keys(values: dict[str, Any], match: re.Match[str]) -> str:
    """The lines of keys that have a value, below their comment; nothing where none has."""
    lines = "".join(_line(key, values.pop(key)) for key in match[2].split() if key in values)
    return match[1] + lines if lines else ""


def _of_line(values: dict[str, Any], match: re.Match[str]) -> str:
    """A setting's line with its value, or as the template has it."""
    example, key, default = match.groups()
    return _line(key, values.pop(key)).rstrip("\n") if key in values else f"{'# ' if example else ''}{key}{default}"


def _line(key: str, value: Any) -> str:
    if key == "outputs":
        return "".join(f"outputs.{_line(name, output)}" for name, output in value.items())
    return f"{toml_key(key)} = {toml_value(value)}\n"


_NAMED = ("traffic", "windows", "model", "baseline")


def settings_named(named: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by section, from those that are said by their keys; `traffic` is the path of the traffic.

    >>> settings_named({"event_time": "ts", "every": "6h", "traffic": "live"})
    {'traffic': {'event_time': 'ts', 'path': 'live'}, 'windows': {'every': '6h'}}
    """
    settings: dict[str, dict[str, Any]] = {}
    for name, value in named.items():
        key = "path" if name == "traffic" else name
        section = next(section for section in _NAMED if key in SECTIONS[section].model_fields)
        settings.setdefault(section, {})[key] = value
    return settings


#: The options of `pitfalls monitor init` whose names are not their key's.
_OPTIONS = {"[traffic] path": "--traffic", "[traffic] scores": "--score", "[model] baseline": "--out"}


def check_settings(settings: Settings, folder: Path) -> MonitorConfig:
    """Check settings as those of a new config: the same as that which `render_config` writes.

    Args:
        folder: The folder at which relative paths start.
    """
    budget = {"page": PAGE_BUDGET, **settings.get("budget", {})}  # the one value that is no section's default
    result = validated({**settings, "budget": budget}, folder.absolute())
    if isinstance(result, MonitorConfig):
        return result
    raise InvalidSettings("the command", [problem.at(_option(problem)) for problem in result])


def _option(problem: ConfigProblem) -> str:
    """The option that a problem comes from, such as ``--every``."""
    if problem.place.startswith("[[metric]]"):
        return "--metric"
    key = re.sub(r" \d+$", "", problem.place)
    return _OPTIONS.get(key, f"--{key.partition(' ')[2].replace('_', '-')}")
