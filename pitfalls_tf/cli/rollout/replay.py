"""``pitfalls rollout replay``: compare two versions on rows whose labels are there already."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from monitoring.config import load_config
from monitoring.deployment.deployment import enter_deployment
from monitoring.documents.rollout import replay_document
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.replay.log_replay import ReplayRequest, replay_log, save_replay
from monitoring.rollout.replay.paired_table import read_pairs
from monitoring.rollout.replay.table_replay import replay_table
from monitoring.store.store import Store
from monitoring.traffic.remote.urls import is_url
from monitoring.traffic.windows import CalendarPlan
from pitfalls_tf.cli.column_roles import COLUMNS, joined, named_columns
from pitfalls_tf.cli.monitor.options import config_option, with_traffic
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.rollout.deciding import deciding_options, exit_code, require_option, rules_of, show
from pitfalls_tf.cli.rollout.versions import author_of, by_option, scoring_progress, version_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitoring.onboarding.table_description import TableDescription
    from monitoring.records import Requirement, RolloutRecord
    from monitoring.rollout.replay.table_replay import ReplayResult
    from pitfalls_tf.cli.output import Output

VERSIONS = ("champion", "candidate")

#: Flags that are settings of the table as they stand.
COLUMN_FLAGS = ("event_time", "label_time", "prediction_id", "naive_timezone", "task", "slices")

#: Flags that go with a table, and those that go with a log.
OF_TABLE = (
    "event_time",
    "label",
    "label_time",
    "prediction_id",
    "champion_score",
    "champion_predicted",
    "candidate_score",
    "candidate_predicted",
    "task",
    "classes",
    "slices",
    "every",
    "timezone",
    "naive_timezone",
)
OF_LOG = ("champion", "candidate", "trained_until", "since", "until")


#: The result; of a log also the rollout in the store, and how many rows were scored.
Replayed: TypeAlias = "tuple[ReplayResult, RolloutRecord | None, int | None]"


def _answer_options(version: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the options that name the columns of a version's answers."""
    score = click.option(
        f"--{version}-score",
        multiple=True,
        type=COLUMNS,
        callback=joined,
        metavar="COLUMN",
        help=f"The {version}'s probability of the second class, or A,B,C: one per class; of several outputs "
        "OUTPUT=A,B,C; repeatable.",
    )
    predicted = click.option(
        f"--{version}-predicted",
        type=COLUMNS,
        metavar="COLUMN",
        help=f"The {version}'s predicted class or number; or A,B,C: several numbers; or lists of ids; or "
        "OUTPUT=COLUMN,...",
    )
    return lambda verb: score(predicted(verb))


@click.command()
@click.option(
    "--table",
    metavar="PATH_OR_URL",
    help="Table with the answers of both versions: a file, folder or pattern; instead of a config.",
)
@click.option("--event-time", metavar="COLUMN", help="Time of the prediction.  [default: event_time]")
@click.option(
    "--label",
    type=COLUMNS,
    metavar="COLUMN",
    help="Label; or A,B,C: a 0 or 1 for each class, or several numbers; or OUTPUT=COLUMN,...  [default: label]",
)
@click.option("--label-time", metavar="COLUMN", help="Time when the label became known.  [default: label_time]")
@click.option("--prediction-id", metavar="COLUMN", help="Unique id of the row.  [default: prediction_id]")
@_answer_options("champion")
@_answer_options("candidate")
@click.option(
    "--task",
    type=click.Choice(("classification", "multilabel", "regression", "ranking")),
    help="What is predicted.  [default: as of `pitfalls monitor init`]",
)
@click.option("--classes", type=COLUMNS, metavar="A,B", help="Class names in the order of the scores.")
@click.option("--slices", type=COLUMNS, metavar="A,B", help="Columns each of whose values is a guard.")
@click.option("--every", metavar="LENGTH", help="Length of a window, such as 1d, 6h or 15m.  [default: 1d]")
@click.option("--timezone", metavar="ZONE", help="Time zone of the windows.  [default: UTC]")
@click.option("--naive-timezone", metavar="ZONE", help="Time zone of times without one.  [default: UTC]")
@config_option
@version_options
@click.option(
    "--trained-until",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="Rows before that time (UTC) had a part in the candidate, and are left out.  [default: its manifest's]",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Only windows from then on (UTC).")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="Only windows up to then (UTC).")
@click.option(
    "--share",
    type=click.FloatRange(0.0, 1.0, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the logged rows that is scored, by hash.",
)
@by_option
@deciding_options
@require_option
@with_output
def command(table: str | None, *, config_path: Path, require: Requirement | None, output: Output, **flags: Any) -> int:
    """Compare two versions on rows whose labels are there already.

    The rows are those of a traffic log, which the candidate is given to answer (--config), or of a table that has the
    answers of both (--table). They enter window by window in order of event time, as they would have while they came,
    and the verdict is valid at every look: better, worse, no difference that matters, or can't tell yet.
    """
    _check_flags(table, flags)
    named = {**flags, "require": require}
    outcome, record, scored = _of_table(table, named) if table is not None else _of_log(config_path, named, output)
    document = replay_document(outcome.result, outcome.notes, record, scored)
    output.finish(document.plain(), lambda: show(outcome.result, outcome.notes))
    return exit_code(outcome.result, require)


def _check_flags(table: str | None, flags: dict[str, Any]) -> None:
    """Raises BadInput for flags of a table without one, or of a log beside a table."""
    stray = [name for name in (OF_LOG if table is not None else OF_TABLE) if flags[name] not in (None, (), "")]
    if stray:
        shown = ", ".join(f"--{name.replace('_', '-')}" for name in stray)
        raise BadInput(
            "These flags go with a table." if table is None else "These flags go with a config.",
            got=f"{shown} {'without' if table is None else 'with'} --table",
            expected="--table, too" if table is None else "no --table",
            fix="Name the table with the answers of both versions, or leave them out.",
        )


def _of_table(table: str, flags: dict[str, Any]) -> Replayed:
    rules = rules_of(flags)
    plan = CalendarPlan(every=flags["every"] or "1d", timezone=flags["timezone"] or "UTC")
    champion, candidate = described_versions(flags)
    place = table if is_url(table) else Path(table)
    now = datetime.now(UTC)
    pairs = read_pairs(place, champion, candidate, clock=lambda: now)
    return replay_table(pairs, rules, plan, now=now), None, None


def _of_log(config_path: Path, flags: dict[str, Any], output: Output) -> Replayed:
    from serving.shadow.scorer_process import ScorerProcess  # noqa: PLC0415 - as above

    config = with_traffic(load_config(config_path), None)
    until = {name: _utc(flags[name]) for name in ("since", "until", "trained_until")}
    if until["trained_until"] is not None:
        section = config.rollout.model_copy(update={"trained_until": until["trained_until"]})
        config = config.model_copy(update={"rollout": section})
    versions = find_versions(config, flags["champion"], flags["candidate"])
    request = ReplayRequest(
        rules=rules_of(flags, config), since=until["since"], until=until["until"], share=flags["share"]
    )
    scorer = ScorerProcess(versions.bundle)
    started = datetime.now(UTC)
    try:
        with scoring_progress() as progress:
            log_replay = replay_log(versions, request, scorer, clock=lambda: datetime.now(UTC), progress=progress)
    finally:
        scorer.close()
    author = author_of(flags["by"])
    with Store.open(config.store.url) as store:
        note = enter_deployment(versions.config, store, author.clock())
        record = save_replay(store, versions, request, log_replay, author, started)
    if note:
        output.progress(note, level="warning")
    for failure in log_replay.failures:
        output.progress(f"Rows without an answer of the candidate: {failure}", level="warning")
    return log_replay.result, record, log_replay.scored


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def described_versions(flags: Mapping[str, Any]) -> tuple[TableDescription, TableDescription]:
    """What the flags say of the table, with the answers of the champion and with those of the candidate.

    Raises:
        BadInput: A version's answers are not named, or the flags do not fit each other.
    """
    champion, candidate = (
        described(**{name: flags[name] for name in COLUMN_FLAGS}, **_answers_of(version, flags)) for version in VERSIONS
    )
    return champion, candidate


def _answers_of(version: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a version's answers, and of labels, which say whether there are several outputs."""
    answers = {"scores": flags[f"{version}_score"], "predicted": flags[f"{version}_predicted"]}
    if not any(answers.values()):
        raise BadInput(
            f"The columns of the {version}'s answers are not named.",
            got=f"neither --{version}-score nor --{version}-predicted",
            expected="one of them",
            fix=f"Use --{version}-score p, or --{version}-score a,b,c with one column per class, or "
            f"--{version}-predicted answer.",
        )
    return named_columns({**answers, "label": flags["label"], "classes": flags["classes"]})
