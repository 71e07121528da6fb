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
class ConfigDraft:
    """The values of a config that is yet to be written, as they will stand in the file."""

    bundle: str
    traffic: str
    probabilities: str = "probabilities"
    slices: tuple[str, ...] = ()
    every: str = "1d"
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
    return f"""\
# What to watch, how strictly, and whom to tell. Relative paths start at this file's folder.

[model]
# A model's folder (its newest version is watched), or the folder of one version.
bundle = {_quoted(draft.bundle)}
# The output that holds one probability per class.
probabilities = {_quoted(draft.probabilities)}

[traffic]
# The traffic log, as the server writes it.
path = {_quoted(draft.traffic)}
# Inputs whose every value is watched on its own too, beside the whole traffic.
slices = [{", ".join(_quoted(column) for column in draft.slices)}]

[windows]
# The evidence counts windows: whole days (7d: weeks from Monday), or hours or minutes that divide a day evenly.
every = {_quoted(draft.every)}
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


def _notify(webhooks: tuple[DraftedWebhook, ...]) -> str:
    if not webhooks:
        return '# [[notify]]\n# webhook = "https://hooks.example.org/pitfalls"\n# level = "page"\n'
    return "".join(
        f"[[notify]]\nwebhook = {_quoted(hook.webhook)}\nlevel = {_quoted(hook.level)}\n\n" for hook in webhooks
    )


def _quoted(text: str) -> str:
    """A TOML string: JSON's, but for one character that TOML wants escaped and JSON does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
