"""``pitfalls drill rollout``: promote bad versions by force in logged traffic, and see whether each is taken back."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitoring.config import load_config
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.drill.bad_versions import bad_versions
from monitoring.rollout.drill.rollback_drill import RollbackRequest, drill_rollbacks
from monitoring.rollout.log.versions import version_in_use
from pitfalls_tf.cli.monitor.options import config_option
from pitfalls_tf.cli.output import one_line, with_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitoring.rollout.drill.rollback_drill import RollbackDrill, RollbackRun, VersionRuns
    from pitfalls_tf.cli.output import Output


@click.command()
@config_option
@click.option(
    "--version",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this bad version, such as class-zeroed; repeatable.  [default: all that fit]",
)
@click.option(
    "--replicates", default=3, show_default=True, type=click.IntRange(1, 100), help="How often each is promoted."
)
@click.option(
    "--equal", default=40, show_default=True, type=click.IntRange(0, 10_000), help="Promotions of equal versions."
)
@click.option("--loss", metavar="NAME", help="Loss that decides, such as brier.  [default: the config's]")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="What draws begin from.")
@with_output
def command(
    config_path: Path,
    names: tuple[str, ...],
    *,
    replicates: int,
    equal: int,
    loss: str | None,
    seed: int,
    output: Output,
) -> int:
    """Promote bad versions by force in logged traffic, and see whether each is taken back.

    Each is the version in use with one thing wrong: a class that is never answered, other preprocessing, a stale
    vocabulary. Its evidence is judged as that of a promotion that [rollout.decide] watches for `watch_after`. Nothing
    is kept, and no label is moved. Exits with 1 if a version that does harm was not taken back.
    """
    from serving.shadow.scorer_process import ScorerProcess  # noqa: PLC0415 - as above

    config = load_config(config_path)
    versions, rules = version_in_use(config), rules_of(config)
    request = RollbackRequest(
        rules=rules if loss is None else replace(rules, loss=loss),
        decide=config.rollout.deciding,
        versions=bad_versions(names),
        replicates=replicates,
        equal=equal,
        seed=seed,
    )
    scorer = ScorerProcess(versions.bundle)
    try:
        drill = drill_rollbacks(versions, scorer, request, now=datetime.now(UTC), progress=output.progress)
    finally:
        scorer.close()
    output.finish(_document(drill), lambda: click.echo("\n".join(map(one_line, _lines(drill)))))
    return 1 if any(version.outcome == "missed" for version in drill.bad) else 0


def _document(drill: RollbackDrill) -> dict[str, object]:
    return {
        "model": drill.model,
        "version": drill.version,
        "windows": drill.windows,
        "wrong": drill.wrong,
        "bad": [
            {
                "name": version.name,
                "what": version.what,
                "outcome": version.outcome,
                "runs": [_run(run) for run in version.runs],
            }
            for version in drill.bad
        ],
        "equal": {"promotions": len(drill.equal), "rolled_back": sum(run.rolled_back for run in drill.equal)},
    }


def _run(run: RollbackRun) -> dict[str, object]:
    return {**asdict(run), "since": run.since.isoformat()}


def _lines(drill: RollbackDrill) -> Iterator[str]:
    yield f"Promoted in the place of version {drill.version} of {drill.model}, watched for {drill.windows} windows:"
    for version in drill.bad:
        yield f"  {version.name:<18} {_outcome(version)}; {version.what}"
    if drill.equal:
        back = sum(run.rolled_back for run in drill.equal)
        yield (
            f"Versions that are equally good: {back} of {len(drill.equal)} taken back; {drill.wrong:g} of them may be, "
            f"for {drill.wrong * len(drill.equal):g}."
        )


def _outcome(version: VersionRuns) -> str:
    if not version.runs:
        return "does not fit this model"
    back = sum(run.rolled_back for run in version.runs)
    rows = ", ".join(f"{run.rows:,}" if run.rolled_back else f"not in {run.rows:,}" for run in version.runs)
    losses = ", ".join(f"{run.difference:+.3f}" for run in version.runs)
    return f"{version.outcome}: {back} of {len(version.runs)}, after {rows} rows; loss {losses}"
