"""``pitfalls rollout start``: run a rollout in the foreground until it ends."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.config import load_config
from monitoring.deployment.deployment import enter_deployment
from monitoring.documents.rollout import rollout_document
from monitoring.errors import BadInput
from monitoring.rollout.actions import begin
from monitoring.rollout.in_use import check_policy
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.run import Surroundings, run_rollout
from monitoring.rollout.split.worker import check_split
from monitoring.runs.stopping import stopping
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import config_option, notifier
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.rollout.deciding import deciding_options, exit_code, require_option, rules_of
from pitfalls_tf.cli.rollout.plan import plan_lines, planned
from pitfalls_tf.cli.rollout.status import show_rollout
from pitfalls_tf.cli.rollout.versions import author_of, by_option, version_options
from pitfalls_tf.cli.rollout.work import end_with, parent_option

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitoring.config import MonitorConfig
    from monitoring.records import Requirement, RolloutRecord
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@version_options
@click.option(
    "--share",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    help="Share of the rows that the candidate answers.  [default: the config's]",
)
@click.option("--once", is_flag=True, help="Answer and count what is due once, and exit.")
@click.option(
    "--begin",
    is_flag=True,
    help="Begin it and exit: `pitfalls serve --rollouts` or `pitfalls rollout work` goes on with it.",
)
@click.option("--take-up", is_flag=True, help="Go on with the one that goes on, and begin none.")
@click.option("--no-plan", is_flag=True, help="Begin without a plan, and without a promise.")
@click.option(
    "--poll", "poll_s", default=10.0, show_default=True, type=click.FloatRange(0.1), help="Seconds between two passes."
)
@by_option
@deciding_options
@require_option
@parent_option
@with_output
def command(
    config_path: Path,
    *,
    once: bool,
    no_plan: bool,
    poll_s: float,
    require: Requirement | None,
    output: Output,
    **flags: Any,
) -> int:
    """Run a rollout in the foreground until it ends.

    A new one is planned and begun; one that goes on is taken up again. The worker tails the traffic log, has the
    candidate answer in a process of its own at the lowest priority, counts windows once their labels are due, and
    decides. It may be killed and started again at any moment: no row counts twice. SIGTERM or Ctrl-C ends it between
    two passes, and not the rollout. With --begin a worker elsewhere does this: that of `pitfalls serve --rollouts` or
    `pitfalls rollout work`.
    """
    from serving.shadow.priority import LeftOver  # noqa: PLC0415 - as above
    from serving.shadow.scorer_process import ScorerProcess  # noqa: PLC0415 - as above

    end_with(flags["parent"])
    config = _with_share(load_config(config_path), flags["share"])
    with Store.open(config.store.url) as store, stopping() as stop:
        going_on = _going_on(store, config, flags)
        if flags["take_up"] and going_on is None:
            output.finish({"rollout": None}, lambda: click.echo("No rollout goes on."))
            return 0
        record = going_on or _begun(config, store, {**flags, "require": require}, output, plans=not no_plan)
        if flags["begin"]:
            return _begun_only(store, record, output, is_new=going_on is None)
        left_over = LeftOver()  # the server that answers comes first: a shadow that cannot keep up lowers its share

        def wait() -> bool:
            left_over.adjust()
            return not once and _waited(stop.is_set, poll_s)

        around = Surroundings(
            make_scorer=partial(ScorerProcess, idle=True),
            author=author_of(flags["by"]),
            send=notifier(output),
            wait=wait,
            say=output.progress,
        )
        record = run_rollout(config, store, record, around)
        events = store.rollouts.events(record.number)
    output.finish(rollout_document(record, events).plain(), lambda: show_rollout(record, events))
    return 0 if require is None or record.result is None else exit_code(record.result, require)


def _begun_only(store: Store, record: RolloutRecord, output: Output, *, is_new: bool) -> int:
    """Show a rollout that another process is to work on. BadInput if it was begun before."""
    if not is_new:
        raise BadInput(
            "A rollout of this model goes on.",
            got=f"rollout {record.number}, of the versions {record.champion} and {record.candidate}",
            expected="none, where one is to be begun",
            fix="End it by `pitfalls rollout stop`, or go on with it: `pitfalls rollout start`.",
        )
    events = store.rollouts.events(record.number)
    output.finish(rollout_document(record, events).plain(), lambda: show_rollout(record, events))
    return 0


def _waited(is_stopped: Callable[[], bool], seconds: float) -> bool:
    """Wait so long; False at once if it is to stop."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_stopped():
            return False
        time.sleep(min(0.1, seconds))
    return not is_stopped()


def _with_share(config: MonitorConfig, share: float | None) -> MonitorConfig:
    if share is None:
        return config
    return config.model_copy(update={"rollout": config.rollout.model_copy(update={"share": share})})


def _going_on(store: Store, config: MonitorConfig, flags: Mapping[str, Any]) -> RolloutRecord | None:
    """The rollout of the config's deployment that goes on; None where there is none. BadInput if it is of others."""
    record = next((record for record in store.rollouts.latest(config.name) if record.goes_on), None)
    for role in ("champion", "candidate"):
        if record is not None and flags[role] not in {None, getattr(record, role)}:
            raise BadInput(
                f"Rollout {record.number} goes on, and its {role} is version {getattr(record, role)}.",
                got=f"--{role} {flags[role]}",
                expected=f"--{role} {getattr(record, role)}, or none",
                fix=f"End it first, by `pitfalls rollout stop`, or leave --{role} away to go on with it.",
            )
    return record


def _begun(config: MonitorConfig, store: Store, flags: dict[str, Any], output: Output, *, plans: bool) -> RolloutRecord:
    versions = find_versions(config, flags["champion"], flags["candidate"])
    check_policy(config, versions)
    if config.rollout.mode == "split":
        check_split(config, versions)
    rules, author = rules_of(flags, config), author_of(flags["by"])
    if note := enter_deployment(versions.config, store, author.clock()):
        output.progress(note, level="warning")
    plan = None
    if plans:
        output.progress(f"Planning: version {versions.candidate} answers some of the logged rows")
        plan = planned(config, versions, rules, share=None, seed=0)
        for line in plan_lines(versions.champion, versions.candidate, plan):
            output.progress(line)
    return begin(config, store, versions, rules, author, plan=plan)
