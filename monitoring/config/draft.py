"""A new config: its values, and the commented file that they make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from monitoring.config.columns_section import ColumnSection
from monitoring.config.loading import parse_config
from monitoring.config.problems import ConfigProblem
from monitoring.config.sections import MonitorConfig
from monitoring.errors import InvalidSettings

#: The false pages that a new config promises, of windows of a day one in five years. A config without a
#: promise has one in 365 windows, as in earlier releases.
PAGE_BUDGET = "1 per 1825 windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDraft:
    """One `[[notify]]` section."""

    webhook: str
    level: Literal["page", "notice"] = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDraft:
    """One `[[metric]]` section."""

    name: str
    function: str
    inputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDraft:
    """The columns of one output of several."""

    label: str
    scores: tuple[str, ...] = ()
    predicted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDraft:
    """The columns of a user's table, and the names of the classes, or of several numbers, that its scores are for."""

    event_time: str
    prediction_id: str
    label: str
    label_time: str
    scores: tuple[str, ...]
    predicted: str | None
    classes: tuple[str, ...]
    label_columns: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    id_scores: str | None = None
    is_ranking: bool = False
    outputs: Mapping[str, OutputDraft] = field(default_factory=dict)
    naive_timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDraft:
    """The values of a config before it is written.

    Attributes:
        traffic: Path or URL of the traffic; None where each run names it.
        table: The columns of a user's table; None for a traffic log.
    """

    bundle: str
    traffic: str | None
    table: TableDraft | None = None
    probabilities: str = "probabilities"
    slices: tuple[str, ...] = ()
    class_slices: tuple[str, ...] = ()
    exclude_callers: tuple[str, ...] = ()
    every: str = "1d"
    rows: int | None = None
    timezone: str = "UTC"
    lateness: str = "6h"
    min_rows: int = 200
    label_horizon: str = "7d"
    page: str = PAGE_BUDGET
    notice: str = "1 per 30 windows"
    error: float = 0.02
    brier: float | None = None
    integrity: float = 0.01
    metrics: tuple[MetricDraft, ...] = ()
    quantile: float | None = None
    webhooks: tuple[WebhookDraft, ...] = ()
    cron: str = "15 * * * *"
    store: str = "sqlite:///pitfalls.db"
    columns: Mapping[str, ColumnSection] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def render_config(draft: ConfigDraft) -> str:
    """Write a config as TOML: every setting with its meaning in a comment."""
    rows = "# rows = 5000" if draft.rows is None else f"rows = {draft.rows}"
    path = '# path = "live/*.parquet"' if draft.traffic is None else f"path = {_quoted(draft.traffic)}"
    text = f"""\
# Settings of `pitfalls monitor`. Relative paths start at this file's folder.

[model]
{_model(draft)}
{_DEPLOYMENT}
[traffic]
{_NOTES[draft.table is not None]}
{path}
# Category inputs whose values are watched as slices too.
slices = {_listed(draft.slices)}
# Losses by true class ("label": recall) and by predicted class ("predicted": precision).
{_class_slices(draft.class_slices)}
{_callers(draft.exclude_callers) if draft.table is None else _columns(draft.table)}
[windows]
# Length of a window: whole days (7d: weeks from Monday), or hours or minutes that divide a day evenly.
every = {_quoted(draft.every)}
# Or a number of rows in order of event time; `every` is ignored then.
{rows}
timezone = {_quoted(draft.timezone)}
# Allowed lateness: how long after its end a window waits for late rows and labels.
lateness = {_quoted(draft.lateness)}
# A watch with fewer rows than this pools them with the next window.
min_rows = {draft.min_rows}
# Longest label delay: labels that arrive later are ignored.
label_horizon = {_quoted(draft.label_horizon)}

[budget]
# False alarms of the whole deployment, whatever the number of inputs and slices; 1825 days are five years.
page = {_quoted(draft.page)}
notice = {_quoted(draft.notice)}

[tolerance]
# A rise up to this is tolerated, in the metric's own unit.
error = {float(draft.error)!r}
{_brier(draft.brier)}
integrity = {float(draft.integrity)!r}

{_COST}{_metrics(draft.metrics)}
{_EXPECTED}
{_notify(draft.webhooks)}
[schedule]
# Minute, hour, day, month, day of the week (by name).
cron = {_quoted(draft.cron)}

[store]
url = {_quoted(draft.store)}
{_dictionary(draft.columns)}"""
    return _with_settings(text, draft.settings) if draft.settings else text


def _with_settings(text: str, settings: Mapping[str, Any]) -> str:
    """The config with settings that are given as values, which few configs are written with."""
    from monitoring.config.config_text import with_settings  # noqa: PLC0415 - loads a parser

    return with_settings(text, settings)


_DEPLOYMENT = """\
# The deployment's name in the store; configs that share a store need one each.
# [deployment]
# team = "credit"
# tags = ["eu"]
# name = "lender-eu"
"""

_COST = """\
# What a row costs: a row for each true class, a number for each answer, in the order of the classes.
# [cost]
# matrix = [[0.0, 1.0], [10.0, 0.0]]
"""

_NO_METRIC = """\
# A metric of your own: a function of labelled rows, which returns a number in [0, 1] for each.
# [[metric]]
# name = "missed_calls"
# function = "my_metrics:missed_calls"
# inputs = ["distance"]
"""

_EXPECTED = """\
# Days on which traffic is known to differ; they are tested once the event has been seen twice.
# [[expected]]
# name = "Black Friday"
# dates = [2025-11-28, 2026-11-27]
"""

_NO_ROUTE = """\
# Who is notified; other routes are slack, pagerduty, alertmanager, email and command.
# [[notify]]
# webhook = "https://hooks.example.org/pitfalls"
# level = "page"
"""

_DICTIONARY = """\
# The data dictionary: what each column is in the baseline. Another kind or role needs `pitfalls monitor init` again,
# with --dictionary and this file; unit and description are shown, and may be changed.
"""

_NOTES = {
    False: "# The traffic log that the server writes.",
    True: "# The table: a file, a folder or a pattern; Parquet or CSV. `monitor run --traffic` overrides it.",
}


def _model(draft: ConfigDraft) -> str:
    if draft.table is not None:
        classes = f"# The classes, in the order of the scores.\nclasses = {_listed(draft.table.classes)}"
        return f"""\
# The baseline, made from the reference table.
baseline = {_quoted(draft.bundle)}
{classes if draft.table.classes else _predicted(draft.table)}
{_quantile(draft.quantile)}"""
    return f"""\
# A model's folder (every version with rows in the log is monitored), or the folder of one version.
bundle = {_quoted(draft.bundle)}
# The output that holds one probability per class.
probabilities = {_quoted(draft.probabilities)}
{_quantile(draft.quantile)}"""


def _predicted(table: TableDraft) -> str:
    if not (table.scores or table.predicted or table.outputs):
        return "# The table has no answers of the model: its inputs are watched alone."
    if table.outputs:
        return f"# {len(table.outputs)} outputs have a label each."
    if table.is_ranking:
        return "# Ids are answered, best first."
    return f"# {len(table.numbers)} numbers are predicted." if table.numbers else "# A number is predicted."


def _brier(tolerance: float | None) -> str:
    return "# brier = 0.01" if tolerance is None else f"brier = {float(tolerance)!r}"


def _quantile(quantile: float | None) -> str:
    return (
        "" if quantile is None else f"# Which quantile of the label the predicted number is.\nquantile = {quantile!r}\n"
    )


def _columns(table: TableDraft) -> str:
    label, answer = _label(table), _answer(table)
    return f"""\
# The table's columns. Without a prediction_id, rows are identified by file and position. Labels may arrive later.
event_time = {_quoted(table.event_time)}
prediction_id = {_quoted(table.prediction_id)}
{label}label_time = {_quoted(table.label_time)}
# The time zone of timestamps without one.
naive_timezone = {_quoted(table.naive_timezone)}
{answer}
# A separate table of labels, with the same column names.
# labels = "labels/*.parquet"
"""


def toml_key(name: str) -> str:
    """A key as it stands in a file: quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _answer(table: TableDraft) -> str:
    """The columns of the answer; of several outputs with those of labels."""
    if table.outputs:
        lines = (f"outputs.{toml_key(name)} = {_output(output)}" for name, output in table.outputs.items())
        return "\n".join(
            (
                "# Of each output: `scores`, as of one output, or `predicted`, a class or a number; and its label.",
                *lines,
            )
        )
    note = "# The probability of the second class, one column per class, or a column of lists; or `predicted`: class, "
    answer = f"scores = {_listed(table.scores)}"
    if table.predicted is not None or (table.scores and not (table.classes or table.numbers)):
        answer = f"predicted = {_quoted(table.predicted or table.scores[0])}"
    if table.id_scores is not None:
        answer += f"\n# The scores of the ids.\nid_scores = {_quoted(table.id_scores)}"
    return f"{note}number, ids.\n{answer}"


def _label(table: TableDraft) -> str:
    """The line of the column of labels, if they are of one output."""
    if table.outputs:
        return ""
    if table.label_columns:
        what = "A row may have several classes: a 0 or 1 for each"
        what = "A number for each that is predicted" if table.numbers else what
        return f"# {what}, in the order of the scores.\nlabel_columns = {_listed(table.label_columns)}\n"
    return f"label = {_quoted(table.label)}\n"


def _output(output: OutputDraft) -> str:
    answer = (
        f"scores = {_listed(output.scores)}" if output.predicted is None else f"predicted = {_quoted(output.predicted)}"
    )
    return f"{{ {answer}, label = {_quoted(output.label)} }}"


def _dictionary(columns: Mapping[str, ColumnSection]) -> str:
    """The data dictionary, one line for each column; empty without one."""
    if not columns:
        return ""
    lines = (f"{toml_key(name)} = {{ {', '.join(_entry(column))} }}\n" for name, column in columns.items())
    return f"\n{_DICTIONARY}[columns]\n{''.join(lines)}"


def _entry(column: ColumnSection) -> Iterator[str]:
    for key in ColumnSection.model_fields:
        if (value := getattr(column, key)) is not None:
            yield f"{key} = {_quoted(value)}"


def _listed(names: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(name) for name in names)}]"


def _class_slices(columns: tuple[str, ...]) -> str:
    return f"class_slices = {_listed(columns)}" if columns else '# class_slices = ["label", "predicted"]'


def _metrics(metrics: tuple[MetricDraft, ...]) -> str:
    if not metrics:
        return f"\n{_NO_METRIC}"
    return "".join(
        f"\n[[metric]]\nname = {_quoted(metric.name)}\nfunction = {_quoted(metric.function)}\n"
        + (f"inputs = {_listed(metric.inputs)}\n" if metric.inputs else "")
        for metric in metrics
    )


def _callers(names: tuple[str, ...]) -> str:
    line = f"exclude_callers = {_listed(names)}" if names else '# exclude_callers = ["load-test"]'
    return f"# Callers whose rows do not count, by the name of their token or certificate, or by address.\n{line}\n"


def _notify(webhooks: tuple[WebhookDraft, ...]) -> str:
    if not webhooks:
        return _NO_ROUTE
    return "".join(
        f"[[notify]]\nwebhook = {_quoted(hook.webhook)}\nlevel = {_quoted(hook.level)}\n\n" for hook in webhooks
    )


def _quoted(text: str) -> str:
    """A TOML string: JSON's, and one more escaped character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


#: The options of `pitfalls monitor init` whose names are not their key's.
_OPTIONS = {"[traffic] path": "--traffic", "[traffic] scores": "--score", "[model] baseline": "--out"}


def check_draft(draft: ConfigDraft, folder: Path) -> MonitorConfig:
    """Check a draft as a file in a folder. `folder`: the folder at which relative paths start."""
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
