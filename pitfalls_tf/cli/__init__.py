"""The command line: one file per verb, each loaded only when it is called.

A verb parses, calls one function, and prints. To add one, write ``pitfalls_tf/cli/VERB.py`` exporting
``command: click.Command``, add its row to `VERBS`, and describe it in ``docs/reference/cli.md``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pitfalls_tf.cli.exits import exit_on_defect
from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["VERBS", "main", "pitfalls"]

# One row per verb, in the order of the road. The summary is the first line of the command's own help.
VERBS: Mapping[str, Verb] = {
    "demo": Verb("pitfalls_tf.cli.demo", "Walk the whole road on real flights."),
    "train": Verb(
        "pitfalls_tf.cli.train",
        "Train SETUP once per seed, score each run on held-out rows, and deploy the median seed's model.",
    ),
    "compare": Verb(
        "pitfalls_tf.cli.compare",
        "Compare A with B, paired over seeds and domains: better, worse, or inconclusive.",
    ),
    "reproduce": Verb(
        "pitfalls_tf.cli.reproduce",
        "Run the paper's experiments again: FIGURE is figure1, another one, or all of them.",
    ),
    "export": Verb(
        "pitfalls_tf.cli.export",
        "Export a trained model as the next version of NAME, with its schema, baseline, warmup requests and manifest.",
    ),
    "serve": Verb(
        "pitfalls_tf.cli.serve",
        "Answer requests as TensorFlow Serving does, over HTTP and gRPC, and log every answer before it leaves.",
    ),
    "replay": Verb(
        "pitfalls_tf.cli.replay",
        "Drive a server with the rows of TABLE (Parquet or CSV) in event-time order.",
    ),
    "labels": Verb("pitfalls_tf.cli.labels", "Labels: the truth about predictions, as it becomes known."),
    "traffic": Verb(
        "pitfalls_tf.cli.traffic",
        "Say what is in the traffic log DIR, or write its rows, joined with their labels, to a Parquet file.",
    ),
    "monitor": Verb(
        "pitfalls_tf.cli.monitor",
        "Watch live traffic for data drift and performance regression, within one budget of false alarms.",
    ),
}

# Read by libraries when they are first imported, so it must be set before any verb is loaded. What is already set wins.
ENVIRONMENT: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",  # Evidently's telemetry
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's native log: at 2, it reports having no graphics card as an error
    "GRPC_VERBOSITY": "ERROR",
}

# As above, but not of a server, which answers row by row and is slower with it.
JOB_ENVIRONMENT: Mapping[str, str] = {
    "OPENBLAS_NUM_THREADS": "1",  # numpy's products are small here: threads would cost more in waiting than they save
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",  # asks for fresh pages, which are dear, less often than the one by default
}

pitfalls = LazyGroup(
    "pitfalls",
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Train a Keras model many times, ship it, answer with it, remember every answer, and hear when it changes.",
    epilog="Exit codes: 0 healthy, 1 a page was raised, 2 wrong input, 3 cannot run.",
)
pitfalls = click.version_option(package_name="pitfalls-tf", message="pitfalls %(version)s")(pitfalls)


def main() -> None:
    """Entry point of the ``pitfalls`` script: prepare the process, run the verb, exit with its code."""
    for name, value in (ENVIRONMENT if sys.argv[1:2] == ["serve"] else {**ENVIRONMENT, **JOB_ENVIRONMENT}).items():
        os.environ.setdefault(name, value)
    sys.excepthook = exit_on_defect
    pitfalls(prog_name="pitfalls")
