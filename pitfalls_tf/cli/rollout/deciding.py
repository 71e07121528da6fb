"""Options that say what decides a rollout, how its result is printed, and with which code a verb exits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from monitoring.rollout.decision_rules import DecisionRules, parsed_budget, parsed_guards
from monitoring.rollout.decision_rules import rules_of as rules_of_config
from monitoring.rollout.evidence.terms import CONDITION, as_required
from monitoring.rollout.life import harm_text
from monitoring.traffic.windows import parse_duration
from pitfalls_tf.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitoring.config import MonitorConfig
    from monitoring.records import Requirement, RolloutGuard, RolloutInterval, RolloutMode, RolloutResult

#: The exit code of "can't tell yet" where a verdict is required.
UNDECIDED = 4

#: Guards that the terminal lists.
_LISTED = 20


def deciding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the options of `rules_of`; below ``@click.command()``."""
    for option in (
        click.option(
            "--horizon", metavar="LENGTH", help="How long a row waits for its label, such as 7d.  [default: 7d]"
        ),
        click.option(
            "--missing-labels",
            type=click.Choice(["bounded", "at random"]),
            help="Rows whose label does not come: each may be the worst, or they are like the others. At random "
            "promotes more often than --wrong says where labels of errors are later.  [default: bounded]",
        ),
        click.option(
            "--guard",
            "guards",
            multiple=True,
            metavar="NAME",
            help="slices, errors, latency_p99 or calibration, or one with a limit: 'slices <= 0.02'; repeatable.  "
            "[default: all that can be measured]",
        ),
        click.option("--wrong", metavar="1 in N", help="Wrong promotions, over all looks.  [default: 1 in 20]"),
        click.option(
            "--min-effect",
            type=click.FloatRange(0.0),
            metavar="X",
            help="Smallest difference that matters, in the loss's unit.  [default: 0.005 of its largest]",
        ),
        click.option("--loss", metavar="NAME", help="Loss that decides, such as brier.  [default: the task's first]"),
    ):
        command = option(command)
    return command


require_option = click.option(
    "--require",
    type=click.Choice(["better", "not worse"]),
    help="Exit with 1 unless the candidate is so and every guard passes; with 4 if it can't be told yet.",
)


def rules_of(flags: Mapping[str, Any], config: MonitorConfig | None = None) -> DecisionRules:
    """The rules that some flags say; those not given are a config's, or as they are by default.

    Args:
        flags: The flags of `deciding_options`, and what is required.
        config: The config; None where there is none.

    Raises:
        BadInput: one of them cannot be read.
    """
    read: dict[str, Callable[[Any], Any]] = {
        "loss": str,
        "min_effect": float,
        "wrong": parsed_budget,
        "missing_labels": str,
        "horizon": parse_duration,
        "require": str,
        "guards": parsed_guards,
    }
    rules = DecisionRules() if config is None else rules_of_config(config)
    values = {name: of(flags[name]) for name, of in read.items() if flags.get(name) not in (None, ())}
    return replace(rules, **values)


def exit_code(result: RolloutResult, require: Requirement | None) -> int:
    """The exit code of a result, whatever it was required to be when its evidence was looked at.

    Args:
        require: What is required; None: nothing.

    Returns:
        0 if the candidate may be promoted, or if nothing is required; 4 if it can't be told yet; else 1.
    """
    if require is None or as_required(result, require).promotable:
        return 0
    is_harmful = (
        result.verdict == "worse" or result.harmful or any(guard.interval.verdict == "worse" for guard in result.guards)
    )
    if is_harmful:
        return 1
    waits = result.verdict == "can't tell yet" or (require == "better") <= (result.verdict == "better")
    return UNDECIDED if waits else 1


def show(result: RolloutResult, notes: tuple[str, ...] = (), *, mode: RolloutMode = "replay") -> None:
    """Print a result to stdout."""
    for line in lines(result, mode):
        click.echo(printable(line))
    for note in notes:
        click.echo(printable(f"Note: {note}"))


def lines(result: RolloutResult, mode: RolloutMode = "replay") -> Iterator[str]:
    """A result in words."""
    yield f"{result.title}: {result.verdict}"
    yield f"  difference  {_range(result.interval)}   {_sides(result)}"
    if result.missing:
        yield (
            f"  if rows without a label are like the others  {_range(result.at_random)}   {result.at_random.verdict}"
        )
    yield (
        f"  smallest difference that matters {result.min_effect:g}; each bound is wrong at any look with a probability "
        f"of at most {result.wrong:g}, {CONDITION}"
    )
    counted = "keys" if mode == "split" else "rows"
    windows = f"{len(result.windows)} window{'' if len(result.windows) == 1 else 's'}"
    yield f"  {result.rows:,} {counted} in {windows}, {result.labelled:,} labels"
    if result.unusable:
        yield f"  left out: {result.unusable:,} rows without a usable answer of the champion"
    if result.failed:
        yield f"  {result.failed:,} rows without a usable answer of the candidate count with the largest loss"
    missing = f"{result.missing:,} of them without a label" if result.missing else ""
    if mode == "split":
        yield from [f"  {missing}"] if missing else []
    else:
        yield f"  the versions disagree on {result.disagreements:,} rows{', ' * bool(missing)}{missing}"
    yield from _widths(result, counted)
    if result.decided is not None and result.decided_at is not None:
        yield f"  first verdict on {result.decided_at:%Y-%m-%d %H:%M} UTC: {result.decided}"
    if result.needed is not None:
        needed = result.needed
        yield (
            f"  a verdict takes about {needed.rows:,} more rows and {needed.labels:,} more labels: {needed.days:.1f} "
            "days at this rate"
        )
    yield from _guards(result.guards)
    if mode == "watch":
        yield f"Rollback: {'yes' if result.verdict == 'worse' or result.harmful else 'no'}"
    else:
        yield f"Promotion ({result.require} is required): {'yes' if result.promotable else 'no'}"
    for reason in result.obstacles if mode == "watch" else result.reasons:
        yield f"  {reason}"
    guards = f"{len(result.guards)} guard{'s' * (len(result.guards) > 1)}"
    measures = f"the mean over the loss and {guards}" if result.guards else "by the loss"
    yield f"Evidence of harm on these rows: {harm_text(result.harm)}, {measures}; {1 / result.wrong:,.0f} is enough."


def _range(interval: RolloutInterval) -> str:
    return f"{interval.mean:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"


def _widths(result: RolloutResult, counted: str) -> Iterator[str]:
    """By how much days differ, and what half of the interval is made of."""
    if result.dispersion > 1.0:
        yield f"  days differ {result.dispersion:.1f} times as much as their {counted} explain: the interval is wider"
    if (widths := result.widths) is not None:
        added = f"how days differ adds {widths.days:.4f}, missing labels {widths.missing_labels:.4f}"
        yield f"  half the interval's width is {widths.rows:.4f} by {counted} with a label; {added}"


def _sides(result: RolloutResult) -> str:
    if result.champion is None or result.candidate is None:
        return ""
    return f"champion {result.champion:.4f}, candidate {result.candidate:.4f}"


def _guards(guards: tuple[RolloutGuard, ...]) -> Iterator[str]:
    width = max((len(guard.name) for guard in guards), default=0)
    for guard in guards[:_LISTED]:
        state = "passes" if guard.passes else "is worse" if guard.interval.verdict == "worse" else "can't tell yet"
        yield (
            f"  guard {guard.name:<{width}}  {_range(guard.interval)}   at most {guard.limit:g}: {state}; "
            f"evidence of harm {harm_text(guard.harm)}"
        )
    if len(guards) > _LISTED:
        yield f"  … and {len(guards) - _LISTED} more guards: --json lists all"
