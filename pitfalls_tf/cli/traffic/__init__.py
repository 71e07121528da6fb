"""``pitfalls traffic``: a traffic log's summary and rows, and the erasure of rows."""

from __future__ import annotations

from collections.abc import Mapping

from pitfalls_tf.cli.group import LazyGroup, Verb

__all__ = ["VERBS", "command"]

_HERE = "pitfalls_tf.cli.traffic"

VERBS: Mapping[str, Verb] = {
    "summary": Verb(
        f"{_HERE}.summary", "Summarise a traffic log, or export its rows with their labels to a Parquet file."
    ),
    "forget": Verb(f"{_HERE}.forget", "Erase the rows of some predictions wherever they are kept, with a receipt."),
}

command = LazyGroup(
    "traffic",
    verbs=VERBS,
    default="summary",
    help="Summarise a traffic log, export its rows, or erase some of them.\n\nThe word `summary` may be left out.",
)
