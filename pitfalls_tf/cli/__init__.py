"""The command line: one file per verb, imported only when the verb is called.

A verb parses its arguments, calls one function, and prints the result. To add one, write ``pitfalls_tf/cli/VERB.py``
that exports ``command: click.Command``, add its row to `VERBS`, and describe it in ``docs/reference/cli.md``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from monitoring.distribution import installed_version
from monitoring.tracing import exporting
from pitfalls_tf.cli.exits import exit_on_defect
from pitfalls_tf.cli.group import LazyGroup, Verb, restrict_files
from pitfalls_tf.cli.output import choose_log_format, print_line

__all__ = ["VERBS", "main", "pitfalls"]

# One row per verb, in the order of the pipeline. The summary is the first paragraph of the command's help.
VERBS: Mapping[str, Verb] = {
    "demo": Verb("pitfalls_tf.cli.demo", "Run the whole pipeline on real flights."),
    "train": Verb(
        "pitfalls_tf.cli.train",
        "Train SETUP once per seed, score each run on held-out rows, and deploy the median seed's model.",
    ),
    "compare": Verb(
        "pitfalls_tf.cli.compare",
        "Compare setup A with setup B over paired seeds and domains: better, worse, or inconclusive.",
    ),
    "reproduce": Verb(
        "pitfalls_tf.cli.reproduce", "Reproduce the paper's experiments: FIGURE is figure1, another name, or all."
    ),
    "export": Verb(
        "pitfalls_tf.cli.export",
        "Export a trained model as the next version of NAME, with its schema, baseline, warmup requests and manifest.",
    ),
    "serve": Verb(
        "pitfalls_tf.cli.serve",
        "Serve models with TensorFlow Serving's HTTP and gRPC APIs, and log every prediction before it is sent.",
    ),
    "replay": Verb(
        "pitfalls_tf.cli.replay", "Send the rows of TABLE (Parquet or CSV) to a server in event-time order."
    ),
    "labels": Verb("pitfalls_tf.cli.labels", "Ask for labels, and add them to a traffic log."),
    "traffic": Verb("pitfalls_tf.cli.traffic", "Summarise a traffic log, export its rows, or erase some of them."),
    "monitor": Verb(
        "pitfalls_tf.cli.monitor",
        "Monitor traffic for data drift and performance regression, within a false-alarm budget.",
    ),
    "drill": Verb("pitfalls_tf.cli.drill", "Prove on your own traffic that your own monitor tells, and how soon."),
    "rollout": Verb(
        "pitfalls_tf.cli.rollout", "Decide by evidence whether a new version is better than the one in use."
    ),
    "doctor": Verb(
        "pitfalls_tf.cli.doctor",
        "Say what is installed, what each extra adds, and whether ports, folders, frameworks and the store work.",
    ),
}

# Libraries read these when they are first imported, so they are set before a verb is loaded. Existing values are kept.
ENVIRONMENT: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",  # Evidently's telemetry
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's native log: level 2 reports a missing GPU as an error
    "GRPC_VERBOSITY": "ERROR",
}

# As above, for all verbs except serve, which predicts row by row and is slower with these values.
JOB_ENVIRONMENT: Mapping[str, str] = {
    "OPENBLAS_NUM_THREADS": "1",  # matrix products are small here: threads cost more than they save
    # The C allocator: the default one asks for huge pages, which cost the first window of a process a tenth of a second
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}

pitfalls = LazyGroup(
    "pitfalls",
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Train a Keras model over many seeds, export it, serve it, log every prediction, and alert on drift and"
    " performance regression.",
    epilog="Exit codes: 0 healthy, 1 a page was raised or missed, or a model refused, 2 wrong input, 3 cannot run, 4"
    " can't tell yet.",
)
pitfalls.params.append(
    click.Option(
        ["--log-format"],
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        envvar="PITFALLS_LOG_FORMAT",
        expose_value=False,
        callback=lambda _context, _option, value: choose_log_format(value),
        help="Lines on stderr: text, or one JSON object each.",
    )
)
pitfalls.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda context, _option, is_asked: _show_version(context) if is_asked else None,
        help="Show the version and exit.",
    )
)


def _show_version(context: click.Context) -> None:
    click.echo(f"pitfalls {installed_version()}")
    context.exit()


def main() -> None:
    """Entry point of the ``pitfalls`` script: set the environment, run the verb, exit with its code."""
    for name, value in (ENVIRONMENT if sys.argv[1:2] == ["serve"] else {**ENVIRONMENT, **JOB_ENVIRONMENT}).items():
        os.environ.setdefault(name, value)
    if sys.argv[1:2] == ["demo"]:  # training, which pins too, and the server that it starts
        from pitfalls_tf.fitting.arithmetic import pin_arithmetic  # noqa: PLC0415 - the light distribution trains nothing

        pin_arithmetic()
    sys.excepthook = exit_on_defect
    restrict_files()
    with exporting("pitfalls", print_line):
        pitfalls(prog_name="pitfalls")
