"""``pitfalls rollout plan``: say when a verdict comes, before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from monitoring.baseline.profile import MAX_SLICE_VALUES
from monitoring.config import load_config
from monitoring.documents.rollout import plan_document
from monitoring.rollout.evidence.terms import CONDITION
from monitoring.rollout.log.planning_job import make_plan
from monitoring.rollout.log.versions import LEAST_OF_SLICES, find_versions
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import printable, with_output
from pitfalls_tf.cli.rollout.deciding import deciding_options, rules_of
from pitfalls_tf.cli.rollout.versions import version_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitoring.config import MonitorConfig
    from monitoring.records import RolloutPlan
    from monitoring.rollout.decision_rules import DecisionRules
    from monitoring.rollout.log.versions import Versions
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@version_options
@click.option(
    "--share",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    help="Share of the rows that the rollout will have.  [default: the config's]",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="What simulations begin from.")
@deciding_options
@with_output
def command(config_path: Path, *, output: Output, **flags: Any) -> int:
    """Say when a verdict comes, before anything runs.

    The candidate answers some thousand logged rows, which shows how often the versions disagree and needs no label; the
    log says how many rows and labels come, and how late. Simulations of the test itself then give the days until a
    verdict, for differences of several sizes, with probabilities of 50 and 90 %.
    """
    config = load_config(config_path)
    versions = find_versions(config, flags["champion"], flags["candidate"])
    rules = rules_of(flags, config)
    plan = planned(config, versions, rules, share=flags["share"], seed=flags["seed"])
    document = {
        "model": config.model.name,
        "versions": {"champion": versions.champion, "candidate": versions.candidate},
        "plan": plan_document(plan).plain(),
    }
    output.finish(document, lambda: _show(versions, plan))
    return 0


def planned(
    config: MonitorConfig, versions: Versions, rules: DecisionRules, *, share: float | None, seed: int
) -> RolloutPlan:
    """Plan a rollout with the candidate in a process of its own."""
    from serving.shadow.scorer_process import ScorerProcess  # noqa: PLC0415 - as above

    scorer = ScorerProcess(versions.bundle)
    try:
        return make_plan(
            versions,
            rules,
            scorer,
            share=config.rollout.share if share is None else share,
            clock=lambda: datetime.now(UTC),
            rng=np.random.default_rng(seed),
        )
    finally:
        scorer.close()


def _show(versions: Versions, plan: RolloutPlan) -> None:
    for line in plan_lines(versions.champion, versions.candidate, plan):
        click.echo(printable(line))
    if unsliced := [column for column in versions.config.traffic.slices if column not in versions.slices]:
        share = f"the {MAX_SLICE_VALUES} commonest values of each have less than {LEAST_OF_SLICES:.0%} of the rows"
        click.echo(printable(f"  no guards, as ids are none: {', '.join(unsliced)}; {share}"))


def plan_lines(champion: int, candidate: int, plan: RolloutPlan) -> Iterator[str]:
    """A plan in words."""
    half, most = plan.label_delay_days
    keys = plan.keys_per_day
    yield (
        f"Versions {champion} and {candidate} disagree on {plan.disagreement:.1%} of {plan.measured_on:,} rows; "
        + (
            f"{plan.rows_per_day:,.0f} rows a day will be compared"
            if keys is None
            else _keys(champion, candidate, keys)
        )
    )
    delays = f"half within {half:.1f} days, nine tenths within {most:.1f}"
    yield f"  {plan.coverage:.0%} of their labels come in time, {delays}"
    rows = "rows" if keys is None else "keys"
    yield f"  {'difference':>11}  {'verdict':<26}  {'days, 50 %':>10}  {'days, 90 %':>10}  {rows:>10}  {'labels':>8}"
    later = "later" if plan.furthest_days is None else f"> {plan.furthest_days:.0f}"
    for promise in plan.promises:
        days = [later if day is None else f"{day:.3g}" for day in promise.days]
        rows = "" if promise.rows[-1] is None else f"{promise.rows[-1]:,}"
        labels = "" if promise.labels[-1] is None else f"{promise.labels[-1]:,}"
        figures = f"{days[0]:>10}  {days[-1]:>10}  {rows:>10}  {labels:>8}"
        yield f"  {promise.effect:>+11.4f}  {promise.verdict:<26}  {figures}"
    counted = "rows" if keys is None else "keys of both versions"
    yield f"  negative is better; {counted} and labels are those of 90 %; a promotion waits for every guard"
    yield _days(plan)
    if plan.last_guard is not None:
        passed = (
            "not within the days looked ahead" if plan.last_guard_days is None else f"{plan.last_guard_days:.3g} days"
        )
        yield f"  the last guard to pass, if it is as good as before, is {plan.last_guard}: nine times of ten {passed}"
    yield f"  a verdict is as rarely wrong as asked for {CONDITION}"


def _keys(champion: int, candidate: int, keys: tuple[float, float]) -> str:
    return f"of the keys of a day version {champion} gets {keys[0]:,.0f} and version {candidate} {keys[1]:,.0f}"


def _days(plan: RolloutPlan) -> str:
    """By how much days differ, and what the promises make of it."""
    if plan.day_spread is None:
        unknown = "before a split" if plan.keys_per_day is not None else "for too few days or labels"
        return f"  how much days differ is not known {unknown}: later than promised, if they do"
    half, most = plan.day_spread
    return (
        f"  days differ by about {half:.2g} beyond what their rows explain, with nine tenths by less than {most:.2g} "
        f"(by {plan.days_seen} of them): promises allow for it, if none of it lasts to the next day"
    )
