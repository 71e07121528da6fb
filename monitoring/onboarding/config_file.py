"""Writing a config file, checked before it replaces another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np

from monitoring.atomic import publish, staging_folder
from monitoring.config import check_settings, render_config
from monitoring.config.template import PAGE_BUDGET, Settings
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.deployment import Deployment, deploy
from monitoring.errors import BadInput, CannotRun
from monitoring.evidence.calibration import MIN_CALIBRATION_WINDOWS
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.fit.reference_limits import label_horizon, reference_limits, undated
from monitoring.judging.window.windowing import split_by_window
from monitoring.onboarding.label_promise import label_promise_notes
from monitoring.onboarding.reference_notes import few_windows, min_rows, min_rows_note
from monitoring.records import WHOLE
from monitoring.traffic.windows import CalendarPlan, RowPlan
from monitoring.watches.descriptions import is_rank

NAME = "monitor.toml"

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


def write_config(settings: Settings, folder: Path, *, force: bool = False) -> WrittenConfig:
    """Write ``monitor.toml`` for a bundle.

    The settings are checked as a run will check them, and every watch is fitted once, before the file is written.

    Args:
        settings: By section; `model` names the bundle, and `traffic` its log.
    """
    path = folder / NAME
    keep_existing(path, force=force)
    with staging(folder) as aside:  # first: relative paths such as ../models need the folder
        settings, sized = _sized(settings, folder)
        deployment = deploy(check_settings(settings, folder))
        settings, promised = promise(settings, deployment.reference_fit)
        told = label_promise_notes(check_settings(settings, folder), deployment)
        (aside / NAME).write_text(render_config(settings), encoding="utf-8")
        put_in_place(aside, (NAME,), folder)
    return WrittenConfig(config=path, notes=(*_notes(deployment), *sized, *promised, *told))


def _sized(settings: Settings, folder: Path) -> tuple[Settings, tuple[str, ...]]:
    """The settings with the `min_rows` and label horizon of the bundle's reference, where they say none; notes."""
    config = check_settings(settings, folder)
    baseline = baseline_in_use(config, is_new=True)
    answers, windows = baseline.rows.answers, config.windows
    delays = (answers.label_times - answers.event_times)[answers.label_times > 0]
    by_rows = baseline.spec.rows_per_window or windows.rows
    plan = CalendarPlan(every=windows.every, timezone=windows.timezone) if by_rows is None else RowPlan(rows=by_rows)
    sizes = np.array([places.size for _, places in split_by_window(answers.event_times, plan)], dtype=np.int64)
    shown = {"min_rows": min_rows(sizes, by_rows), "label_horizon": f"{label_horizon(delays).days}d"}
    sized = {**shown, **settings.get("windows", {})}
    return {**settings, "windows": sized}, min_rows_note(sizes, sized["min_rows"])


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
    """Refuse to replace a config that is there already."""
    if path.exists() and not force:
        raise BadInput(
            "There is a config already.",
            got=str(path),
            expected="no file of that name",
            fix="Use --force to replace it, or --out for another folder.",
        )


def as_written(path: Path, folder: Path) -> str:
    """A path as a config in `folder` writes it: relative where it lies below the folder or both are given as relative.

    Then the folders may be moved together. Where a link is on the way up, `..` leads elsewhere, and it is absolute.

    >>> as_written(Path("/srv/models/flights"), Path("/srv")), as_written(Path("models/flights"), Path("watched"))
    ('models/flights', '../models/flights')
    >>> as_written(Path("/srv/models/flights"), Path("/srv/watched"))
    '/srv/models/flights'
    """
    there, base = path.absolute(), folder.absolute()
    if there.is_relative_to(base):
        return str(there.relative_to(base))
    if path.is_absolute() or folder.is_absolute():
        return str(there)
    above = Path(os.path.commonpath((there, base)))
    has_no_link = base.resolve() == above.resolve() / base.relative_to(above)
    return os.path.relpath(there, base) if has_no_link else str(there)


#: What is promised for a baseline of few windows, in place of `PAGE_BUDGET`: evidence grows slowly beside so few.
FEW_WINDOWS_BUDGET = "1 per 365 windows"


def promise(settings: Settings, fit: ReferenceFit) -> tuple[Settings, tuple[str, ...]]:
    """The settings with the promise that suits their baseline, and a note of it; what their owner has set stays.

    Returns:
        The settings, which promise `FEW_WINDOWS_BUDGET` where the losses of the baseline have fewer than
        `MIN_CALIBRATION_WINDOWS` windows; without a note where that is not so.
    """
    windows, budget = loss_windows(fit), settings.get("budget", {})
    if "page" in budget or windows >= MIN_CALIBRATION_WINDOWS:
        return settings, ()
    note = (
        f"The baseline has {windows} windows of losses, and evidence grows slowly beside fewer than "
        f"{MIN_CALIBRATION_WINDOWS}: the budget of false pages is {FEW_WINDOWS_BUDGET}, with more {PAGE_BUDGET}."
    )
    return {**settings, "budget": {**budget, "page": FEW_WINDOWS_BUDGET}}, (note,)


def loss_windows(fit: ReferenceFit) -> int:
    """The windows of a baseline's losses, those that were pooled counted once.

    Returns:
        The most that any loss on the whole traffic has, ranking losses aside, which are pooled by themselves; of
        baselines without losses the most of any watch.
    """
    page = {key: test.windows for key, test in fit.tests["page"].tests.items() if key.slice == WHOLE}
    losses = [
        windows
        for key, windows in page.items()
        if fit.watches[key.watch].family == "performance" and not is_rank(key.watch)
    ]
    return max(losses or page.values(), default=0)


PREFIX = ".init."


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A hidden folder in `out`, which is made where there is none.

    Yields:
        The hidden folder. It is deleted afterwards, and if the block raises, the folders that were made for it as well.
    """
    folders = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with staging_folder(out, PREFIX) as aside:
            yield aside
    except BaseException as error:
        _remove_empty(folders)
        if isinstance(error, OSError):
            _refuse(out, error)
        raise


def put_in_place(aside: Path, names: Sequence[str], out: Path) -> None:
    """Move files and folders, each replacing one that is there.

    Raises:
        OSError: the disk fails; `out` has what it had before.
    """
    before = aside / "before"
    before.mkdir()
    try:
        for name in names:
            if (out / name).is_dir():
                (out / name).rename(before / name)
            elif (out / name).exists():  # a file is never away, not even for a moment
                shutil.copy2(out / name, before / name)
            publish(aside / name, out / name)
    except OSError:
        for name in names:
            if (before / name).exists():
                _remove(out / name)
                (before / name).replace(out / name)
            elif not (aside / name).exists():
                _remove(out / name)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _refuse(out: Path, error: OSError) -> NoReturn:
    raise CannotRun(
        "The monitor's folder cannot be written.",
        got=f"{out}: {error.strerror or error}",
        expected="a folder this user may write",
        fix="Give another folder with --out.",
    ) from error
