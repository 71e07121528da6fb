"""The demo's rollout: a model that was retrained on the first third of the deployment, replayed, then shadowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitoring.config import load_config
from monitoring.rollout.actions import Author, begin
from monitoring.rollout.decision_rules import LATENCY, rules_of
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.replay.log_replay import ReplayRequest, replay_log, save_replay
from monitoring.rollout.shadow.worker import ShadowWorker
from monitoring.store.store import Store
from pitfalls_tf.sources import flights
from serving.shadow.bundle_scorer import BundleScorer

if TYPE_CHECKING:
    from monitoring.rollout.decision_rules import DecisionRules

#: The share of the logged requests that the candidate answers.
SHARE = 0.25

#: A pass of the shadow every so many days: a cron job would make more.
PASS = timedelta(days=7)


def retrain(out: Path, model: str, until: datetime, progress: Callable[[int, int, str], None]) -> Path:
    """Train one seed on the rows before a time, and export it as the next version."""
    from pitfalls_tf.training.bundles import export_runs  # noqa: PLC0415 - as above
    from pitfalls_tf.training.setup import SETUPS, Period  # noqa: PLC0415 - as above
    from pitfalls_tf.training.train import TrainingOutput, train  # noqa: PLC0415 - as above

    start = flights.load().rows["event_time"][0].as_py()
    setup = replace(SETUPS[model], period=Period(start=start, end=until), known_as=f"{model}-retrained")
    output = TrainingOutput(runs=out / "runs")
    train(setup, seeds=1, output=output, progress=lambda now: progress(now.done, now.total, now.stage))
    runs = out / "runs" / setup.name
    export_runs(runs, folder=out / "models" / model, clock=lambda: datetime.now(UTC))
    return runs


def compare(
    out: Path, replay_until: datetime, until: datetime, progress: Callable[[int, int, str], None]
) -> dict[str, Any]:
    """Replay the candidate on the logged requests up to a time, then shadow what comes until another.

    The shadow's worker is that of `pitfalls rollout start`, with a clock that goes through the log.
    """
    config = load_config(out / "monitor.toml")
    config = config.model_copy(update={"rollout": config.rollout.model_copy(update={"share": SHARE})})
    versions, rules = find_versions(config), _rules(rules_of(config))
    clock = _Clock(replay_until + rules.horizon + timedelta(days=1))
    author = Author(by="pitfalls demo", release=version("pitfalls-tf"), clock=clock, draw_salt=lambda: "demo")
    scorer = BundleScorer(versions.bundle)
    with Store.open(config.store.url) as store:
        request = ReplayRequest(rules=rules, until=replay_until, share=SHARE)
        replayed = replay_log(
            versions, request, scorer, clock=clock, progress=lambda now: progress(now.done, now.windows, "replay")
        )
        save_replay(store, versions, request, replayed, author, clock.now)
        clock.now = replay_until
        record = begin(config, store, versions, rules, author)
        worker = ShadowWorker(config=config, store=store, record=record, make_scorer=lambda _: scorer, clock=clock)
        end = until + rules.horizon + timedelta(days=1)
        while worker.record.goes_on and clock.now < end:
            clock.now = min(clock.now + PASS, end)
            progress((clock.now - replay_until).days, (end - replay_until).days, f"shadow, {clock.now:%-d %B %Y}")
            worker.work()
        result = worker.record.result
        worker.close()
    return {
        "versions": [versions.champion, versions.candidate],
        "replay": replayed.result.result.verdict,
        "rows": replayed.result.result.rows,
        "shadow": None if result is None else result.verdict,
        "state": worker.record.state,
    }


def _rules(rules: DecisionRules) -> DecisionRules:
    """Decided by the Brier score, as few flights are on either side of a half; without times, which are of the past."""
    return replace(rules, loss="brier", guards=tuple(guard for guard in rules.guards if guard.name != LATENCY))


class _Clock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now
