"""Writing a config file, checked before it replaces another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from monitoring.baseline.folder import load_baseline
from monitoring.config import ConfigDraft, check_draft, render_config
from monitoring.errors import BadInput
from monitoring.jobs.deployment import Deployment, deploy
from monitoring.jobs.fits.page_promise import promise_note, with_promise
from monitoring.jobs.places import find_baseline
from monitoring.jobs.reference_notes import MIN_ROWS, few_windows, min_rows, min_rows_note
from monitoring.jobs.staging import put_in_place, staging
from monitoring.judging.fit.reference_limits import label_horizon, reference_limits, undated
from monitoring.judging.window.windowing import split_by_window
from monitoring.traffic.windows import RowPlan, WindowPlan

NAME = "monitor.toml"

DEFAULT_HORIZON = ConfigDraft(bundle="", traffic=None).label_horizon

#: Said of a bundle of which no loss is known.
NO_LOSS = (
    "No loss is watched: the bundle does not say which output its labels are the truth of. Values that are missing, "
    "unseen or unusable page; inputs, their joint distribution, and where the outputs' numbers lie are notices."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenConfig:
    """A config that was written for a bundle.

    Attributes:
        notes: What the bundle's baseline cannot carry: a season, a trend of its own losses, thin slices, few windows.
    """

    config: Path
    notes: tuple[str, ...]


def write_config(draft: ConfigDraft, folder: Path, *, force: bool = False) -> WrittenConfig:
    """Write ``monitor.toml``.

    The draft is checked as a run will check it, and every watch is fitted once, before the file is written.

    Raises:
        BadInput: there is a config already, or the draft does not fit the bundle.
        CannotRun: there is no such bundle, or the folder cannot be written. Nothing is left behind then.
    """
    path = folder / NAME
    keep_existing(path, force=force)
    with staging(folder) as aside:  # first: relative paths such as ../models need the folder
        draft, sized = _sized(draft, folder)
        deployment = deploy(check_draft(draft, folder))
        promised = with_promise(draft, deployment.reference_fit)
        (aside / NAME).write_text(render_config(promised), encoding="utf-8")
        put_in_place(aside, (NAME,), folder)
    return WrittenConfig(
        config=path, notes=(*_notes(deployment), *sized, *promise_note(promised, deployment.reference_fit))
    )


def _sized(draft: ConfigDraft, folder: Path) -> tuple[ConfigDraft, tuple[str, ...]]:
    """The draft with the `min_rows` and label horizon of the bundle's reference, where it says nothing else; notes."""
    baseline = load_baseline(find_baseline(check_draft(draft, folder)).baseline)
    answers = baseline.rows.answers
    delays = (answers.label_times - answers.event_times)[answers.label_times > 0]
    f"{label_horizon(delays).days}d"
    by_rows = baseline.spec.rows_per_window or draft.rows
    plan = WindowPlan(every=draft.every, timezone=draft.timezone) if by_rows is None else RowPlan(rows=by_rows)
    sizes = np.array([places.size for _, places in split_by_window(answers.event_times, plan)], dtype=np.int64)
    least = min_rows(sizes, by_rows)
    draft = replace(
        draft,
        min_rows=least if draft.min_rows == MIN_ROWS else draft.min_rows,
        label_horizon=f"{label_horizon(delays).days}d"
        if draft.label_horizon == DEFAULT_HORIZON
        else draft.label_horizon,
    )
    return draft, min_rows_note(sizes, draft.settings.get("windows", {}).get("min_rows", draft.min_rows))


def _notes(deployment: Deployment) -> tuple[str, ...]:
    """What the baseline of a bundle cannot carry."""
    fit, times = deployment.reference_fit, deployment.baseline.rows.answers.event_times
    span = None if fit.rows_per_window else timedelta(microseconds=int(np.ptp(times)) if len(times) else 0)
    windows = max((scores.size for scores in fit.means.values()), default=0)
    losses = () if deployment.baseline.spec.task.metrics else (NO_LOSS,)
    return (
        *losses,
        *(finding.message for finding in undated(fit.rows_per_window)),
        *few_windows(windows),
        *reference_limits(fit.means, fit.unfitted, span=span, pooled_rows=fit.tests["page"].pooled_rows),
    )


def keep_existing(path: Path, *, force: bool) -> None:
    """Refuse to replace a config that is there already.

    Raises:
        BadInput: there is one, and `force` is not set.
    """
    if path.exists() and not force:
        raise BadInput(
            "There is a config already.",
            got=str(path),
            expected="no file of that name",
            fix="Use --force to replace it, or --out for another folder.",
        )


def as_written(path: Path, folder: Path) -> str:
    """A path as a config in `folder` writes it: relative where it lies below the folder, absolute otherwise.

    >>> as_written(Path("/srv/models/flights"), Path("/srv"))
    'models/flights'
    """
    there, base = path.absolute(), folder.absolute()
    return str(there.relative_to(base)) if there.is_relative_to(base) else str(there)
