"""How small a harm is noticed beside a reference, and which of its windows make that larger than it need be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitoring.config import MonitorConfig
from monitoring.deployment.baseline_in_use import baseline_in_use, days_left_out
from monitoring.deployment.deployment import Deployment, deploy, window_plan
from monitoring.deployment.places import find_baseline
from monitoring.errors import BadInput
from monitoring.evidence.level_shift import BLOCK_ERRORS
from monitoring.fits.simulations import initial_level, simulated_sensitivity
from monitoring.judging.fit.reference_block import ReferenceBlock, reference_block
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.records import Sensitivity
from monitoring.reports.sections.sensitivity import detectable_rise, smallest_rises, unnoticed
from monitoring.watches.descriptions import format_move, lower_first, metric_title

_INSTANT = timedelta(microseconds=1)


def smallest_harm_notes(config: MonitorConfig, deployment: Deployment) -> tuple[str, ...]:
    """The smallest rise of each loss that is noticed; and the block of windows that stands out, if one does.

    Args:
        deployment: That of the config.

    Returns:
        Sentences; none of a model without losses. Cost: two simulations of some seconds, and twice as much where a
        block stands out.
    """
    fit = deployment.reference_fit
    sensitivity = sensitivity_of(fit)
    if not sensitivity:
        return ()
    beyond = unnoticed(sensitivity, fit.baseline_scores())
    notes = [*filter(None, [detectable_rise(sensitivity)]), *([f"The monitor {beyond}."] if beyond else [])]
    plan = window_plan(config, days_left_out(config, find_baseline(config)))
    baseline = replace(baseline_in_use(config), spec=deployment.baseline.spec)  # that was read where init staged it
    block = reference_block(baseline, deployment.catalogue, plan)
    if block is not None:
        notes.append(_block_note(block, config, sensitivity))
    return tuple(notes)


def sensitivity_of(fit: ReferenceFit) -> tuple[Sensitivity, ...]:
    """How small a harm the page level detects before any live window."""
    log_scale = initial_level(fit, "page").log_scale or 0.0
    return simulated_sensitivity(fit, fit.tests["page"], log_scale)


def _block_note(block: ReferenceBlock, config: MonitorConfig, sensitivity: tuple[Sensitivity, ...]) -> str:
    """Which windows stand out, what they cost, and how to leave them out."""
    zone = ZoneInfo(config.windows.timezone)
    first, last = (moment.astimezone(zone).date() for moment in (block.start, block.end - _INSTANT))
    span = f"{first}/{last}" if first != last else f"{first}"
    name = lower_first(metric_title(block.metric))
    move = format_move(block.metric, block.others, block.inside)
    found = (
        f"{block.windows} windows of the reference stand out, {span}: {name} {move}, {block.errors:.1f} standard "
        f"errors (more than {BLOCK_ERRORS} in at most 2 of 100 references without one, for each loss)."
    )
    baseline = config.baseline.model_copy(update={"leave_out": (*config.baseline.leave_out, span)})
    try:
        without = sensitivity_of(deploy(config.model_copy(update={"baseline": baseline})).reference_fit)
    except BadInput:
        return f"{found} Too few windows would be left without them: take a longer reference."
    rises = [smallest_rises(each) for each in (sensitivity, without)]
    cost = f" The smallest rise that is detected is {rises[0]} with them, and {rises[1]} without." if all(rises) else ""
    return (
        f'{found}{cost} If they were an incident, leave them out: --leave-out {span}, or leave_out = ["{span}"] in the '
        "[baseline] section."
    )
