"""How many false pages a new config promises, where its baseline has few windows."""

from __future__ import annotations

from dataclasses import replace

from monitoring.config import ConfigDraft
from monitoring.config.draft import PAGE_BUDGET
from monitoring.evidence.calibration import MIN_CALIBRATION_WINDOWS
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import WHOLE
from monitoring.watches.rank import is_rank

#: What is promised for a baseline of few windows, in place of `PAGE_BUDGET`: evidence grows slowly beside so few.
FEW_WINDOWS_BUDGET = "1 per 365 windows"


def with_promise(draft: ConfigDraft, fit: ReferenceFit) -> ConfigDraft:
    """The draft with the promise that suits its baseline; what its owner has set stays.

    Returns:
        The draft, which promises `FEW_WINDOWS_BUDGET` where the losses of the baseline have fewer than
        `MIN_CALIBRATION_WINDOWS` windows.
    """
    if draft.page != PAGE_BUDGET or "page" in draft.settings.get("budget", {}):
        return draft
    return draft if loss_windows(fit) >= MIN_CALIBRATION_WINDOWS else replace(draft, page=FEW_WINDOWS_BUDGET)


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


def promise_note(draft: ConfigDraft, fit: ReferenceFit) -> tuple[str, ...]:
    """The note that a config promises more false pages than others, as its baseline has few windows."""
    if draft.page != FEW_WINDOWS_BUDGET:
        return ()
    note = (
        f"The baseline has {loss_windows(fit)} windows of losses, and evidence grows slowly beside fewer than "
        f"{MIN_CALIBRATION_WINDOWS}: the budget of false pages is {FEW_WINDOWS_BUDGET}, with more {PAGE_BUDGET}."
    )
    return (note,)
