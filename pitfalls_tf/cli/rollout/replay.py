"""``pitfalls rollout replay``: compare two versions on rows whose labels are there already."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitoring.errors import BadInput
from monitoring.traffic.remote.urls import is_url
from pitfalls_tf.cli.column_roles import named_columns, split_columns
from pitfalls_tf.cli.output import with_output
from pitfalls_tf.cli.rollout.deciding import deciding_options, exit_code, require_option, rules_of, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitoring.jobs.table_description import TableDescription
    from monitoring.rollout.replay.paired_table import AnswerColumns
    from pitfalls_tf.cli.output import Output

VERSIONS = ("champion", "candidate")


def _answer_options(version: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the options that name the columns of a version's answers."""
    score = click.option(
        f"--{version}-score",
        multiple=True,
        metavar="COLUMN",
        help=f"The {version}'s probability of the second class, or A,B,C: one per class; of several outputs "
        "OUTPUT=A,B,C; repeatable.",
    )
    predicted = click.option(
        f"--{version}-predicted",
        metavar="COLUMN",
        help=f"The {version}'s predicted class or number; or A,B,C: several numbers; or lists of ids; or "
        "OUTPUT=COLUMN,...",
    )
    return lambda verb: score(predicted(verb))


@click.command()
@click.option(
    "--table",
    required=True,
    metavar="PATH_OR_URL",
    help="Table with the answers of both versions: a file, folder or pattern.",
)
@click.option("--event-time", metavar="COLUMN", help="Time of the prediction.  [default: event_time]")
@click.option(
    "--label",
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
@click.option("--classes", default="", metavar="A,B", help="Class names in the order of the scores.")
@click.option("--slices", default="", metavar="A,B", help="Columns each of whose values is a guard.")
@click.option("--every", default="1d", show_default=True, help="Length of a window, such as 1d, 6h or 15m.")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of the windows.")
@click.option("--naive-timezone", default="UTC", show_default=True, metavar="ZONE", help="Time zone of times without.")
@deciding_options
@require_option
@with_output
def command(table: str, *, require: str | None, output: Output, **flags: Any) -> int:
    """Compare two versions on rows whose labels are there already.

    Rows enter window by window in order of event time, as they would have while they came, and the verdict is valid at
    every look: better, worse, no difference that matters, or can't tell yet.
    """
    from monitoring.rollout.document import result_document  # noqa: PLC0415 - not needed for --help
    from monitoring.rollout.replay.paired_table import read_pairs  # noqa: PLC0415 - as above
    from monitoring.rollout.replay.table_replay import replay_table  # noqa: PLC0415 - as above
    from monitoring.traffic.windows import WindowPlan  # noqa: PLC0415 - as above

    rules = rules_of({**flags, "require": require})
    plan = WindowPlan(every=flags["every"], timezone=flags["timezone"])
    description, versions = _described(flags)
    place = table if is_url(table) else Path(table)
    now = datetime.now(UTC)
    pairs = read_pairs(place, description, *versions, clock=lambda: now)
    found = replay_table(pairs, rules, plan, now=now)
    output.finish(
        {**result_document(found.result), "notes": list(found.notes)}, lambda: show(found.result, found.notes)
    )
    return exit_code(found.result, require)


def _described(flags: dict[str, Any]) -> tuple[TableDescription, tuple[AnswerColumns, AnswerColumns]]:
    """What the flags say of the table, and the columns of both versions' answers."""
    from monitoring.jobs.table_description import TableDescription, columns_named  # noqa: PLC0415 - as above
    from monitoring.rollout.replay.paired_table import AnswerColumns  # noqa: PLC0415 - as above

    fields: dict[str, Any] = {}
    versions = []
    for version in VERSIONS:
        words = {
            "scores": split_columns(",".join(flags[f"{version}_score"])),
            "predicted": split_columns(flags[f"{version}_predicted"] or ""),
        }
        if not any(words.values()):
            raise BadInput(
                f"The columns of the {version}'s answers are not named.",
                got=f"neither --{version}-score nor --{version}-predicted",
                expected="one of them",
                fix=f"Use --{version}-score p, or --{version}-score a,b,c with one column per class, or "
                f"--{version}-predicted answer.",
            )
        shared = {"label": split_columns(flags["label"] or ""), "classes": split_columns(flags["classes"])}
        fields = columns_named({"task": flags["task"], **named_columns({**words, **shared})})
        versions.append(
            AnswerColumns(
                scores=fields.pop("scores", ()),
                predicted=fields.pop("predicted", None),
                outputs=fields.get("outputs") or None,
            )
        )
    description = TableDescription(
        event_time=flags["event_time"],
        label_time=flags["label_time"],
        prediction_id=flags["prediction_id"],
        naive_timezone=flags["naive_timezone"],
        slices=split_columns(flags["slices"]),
        **fields,
    )
    return description, (versions[0], versions[1])
