"""A config to start from: the values, and the commented file they make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftedWebhook:
    """One `[[notify]]` section."""

    webhook: str
    level: Literal["page", "notice"] = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDraft:
    """The columns of a table of one's own, and the names of the classes that its scores are about."""

    event_time: str
    prediction_id: str
    label: str
    label_time: str
    scores: tuple[str, ...]
    predicted: str | None
    classes: tuple[str, ...]
    naive_timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDraft:
    """The values of a config that is yet to be written, as they will stand in the file.

    With a `table`, `bundle` is the folder of the table's baseline; without `traffic`, it is named with each run.
    """

    bundle: str
    traffic: str | None
    table: TableDraft | None = None
    probabilities: str = "probabilities"
    slices: tuple[str, ...] = ()
    class_slices: tuple[str, ...] = ()
    every: str = "1d"
    rows: int | None = None
    timezone: str = "UTC"
    lateness: str = "6h"
    min_rows: int = 200
    label_horizon: str = "7d"
    page: str = "1 per 365 windows"
    notice: str = "1 per 30 windows"
    error: float = 0.02
    brier: float | None = None
    integrity: float = 0.01
    webhooks: tuple[DraftedWebhook, ...] = ()
    cron: str = "15 * * * *"
    store: str = "sqlite:///pitfalls.db"


def render_config(draft: ConfigDraft) -> str:
    """The text of `monitor.toml`: every setting, each with what it means. `load_config` reads back the same values."""
    brier = "# brier = 0.01" if draft.brier is None else f"brier = {float(draft.brier)!r}"
    rows = "# rows = 5000" if draft.rows is None else f"rows = {draft.rows}"
    path = '# path = "live/*.parquet"' if draft.traffic is None else f"path = {_quoted(draft.traffic)}"
    return f"""\
# What to watch, how strictly, and whom to tell. Relative paths start at this file's folder.

[model]
{_model(draft)}
[traffic]
{_NOTES[draft.table is not None]}
{path}
# Inputs whose every value is watched on its own too, beside the whole traffic.
slices = {_listed(draft.slices)}
# Losses by true class ("label": what is missed of each) and by answer ("predicted": what is wrong among each).
{_class_slices(draft.class_slices)}
{"" if draft.table is None else _columns(draft.table)}
[windows]
# The evidence counts windows: whole days (7d: weeks from Monday), or hours or minutes that divide a day evenly.
every = {_quoted(draft.every)}
# Or so many rows in order of event time, whatever time they take.
{rows}
timezone = {_quoted(draft.timezone)}
# How long after its end a window waits for rows and labels on their way.
lateness = {_quoted(draft.lateness)}
# A watch with fewer rows than this waits for the next window.
min_rows = {draft.min_rows}
# How far back the prediction of a label may lie.
label_horizon = {_quoted(draft.label_horizon)}

[budget]
# False alarms of the whole deployment, whatever the number of features and slices.
page = {_quoted(draft.page)}
notice = {_quoted(draft.notice)}

[tolerance]
# A rise this small is harmless, in the metric's own unit.
error = {float(draft.error)!r}
{brier}
integrity = {float(draft.integrity)!r}

{_notify(draft.webhooks)}
[schedule]
# Minute, hour, day, month, day of the week (as a name).
cron = {_quoted(draft.cron)}

[store]
url = {_quoted(draft.store)}
"""


_NOTES = {
    False: "# The traffic log, as the server writes it.",
    True: "# The table's files: one, a folder, or a pattern; Parquet or CSV. `monitor run --traffic` names others.",
}


def _model(draft: ConfigDraft) -> str:
    if draft.table is not None:
        return f"""\
# What the model and its traffic looked like when it was good, from the reference table.
baseline = {_quoted(draft.bundle)}
# The classes, in the order of the scores.
classes = {_listed(draft.table.classes)}
"""
    return f"""\
# A model's folder (its newest version is watched), or the folder of one version.
bundle = {_quoted(draft.bundle)}
# The output that holds one probability per class.
probabilities = {_quoted(draft.probabilities)}
"""


def _columns(table: TableDraft) -> str:
    answer = f"scores = {_listed(table.scores)}"
    if table.predicted is not None:
        answer = f"predicted = {_quoted(table.predicted)}"
    return f"""\
# The table's columns. Without a prediction_id, a row is known by its file and place; the label may come later.
event_time = {_quoted(table.event_time)}
prediction_id = {_quoted(table.prediction_id)}
label = {_quoted(table.label)}
label_time = {_quoted(table.label_time)}
# The zone of times that have none of their own.
naive_timezone = {_quoted(table.naive_timezone)}
# The score of the second class, or one for each class, or a column of lists; or else `predicted`, the answer itself.
{answer}
# A table of labels apart, with the same three names of columns.
# labels = "labels/*.parquet"
"""


def _listed(names: tuple[str, ...]) -> str:
    return f"[{', '.join(_quoted(name) for name in names)}]"


def _class_slices(columns: tuple[str, ...]) -> str:
    return f"class_slices = {_listed(columns)}" if columns else '# class_slices = ["label", "predicted"]'


def _notify(webhooks: tuple[DraftedWebhook, ...]) -> str:
    if not webhooks:
        return '# [[notify]]\n# webhook = "https://hooks.example.org/pitfalls"\n# level = "page"\n'
    return "".join(
        f"[[notify]]\nwebhook = {_quoted(hook.webhook)}\nlevel = {_quoted(hook.level)}\n\n" for hook in webhooks
    )


def _quoted(text: str) -> str:
    """A TOML string: JSON's, but for one character that TOML wants escaped and JSON does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
