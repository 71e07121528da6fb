"""Imports the large frameworks without the lines that they print about graphics cards and notebooks."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click

# Written by native code to file descriptor 2 before any logging setting is read, or printed by TFDV outside a notebook.
# The lines are the same on every machine and need no action.
NOISE = (
    r"^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    r"|^I0000 .*(cudart_stub|cpu_feature_guard|port)\.cc"
    r"|^To enable the following instructions: .* rebuild TensorFlow"
    r"|^Unable to import IPython"
    r"|^TFDV visualization APIs will not function"
)


#: A Keras file is of no backend, and what is served is a SavedModel.
BACKEND = "tensorflow"


def load_frameworks(*names: str) -> None:
    """Import modules by name, dropping known noise from stderr and passing all other lines.

    A verb calls this before the function that needs TensorFlow, TFDV or Evidently. Cost: several seconds per framework.

    Raises:
        ImportError: as a plain import.

    >>> load_frameworks("json", "csv")
    """
    if "keras" in names:
        named = os.environ.get("KERAS_BACKEND", BACKEND)
        if named != BACKEND:
            click.echo(f"KERAS_BACKEND={named} has no effect: Keras runs on TensorFlow here.", err=True)
        os.environ["KERAS_BACKEND"] = BACKEND  # or Keras takes that of ~/.keras/keras.json
    if all(name in sys.modules for name in names):
        return
    with _filtered_stderr(), warnings.catch_warnings():
        # Evidently's regular expressions in plain strings, reported when Python 3.12 or later first compiles them.
        warnings.filterwarnings("ignore", "invalid escape sequence", SyntaxWarning)
        for name in names:
            importlib.import_module(name)
    # TensorFlow warns at every load of a model that sessions are deprecated.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Redirect file descriptor 2 through ``grep -v NOISE``.

    A separate process instead of a buffer in this one: if native code aborts, its last message is still printed.
    """
    grep = shutil.which("grep")
    if grep is None:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with subprocess.Popen([grep, "-v", "-E", NOISE], stdin=subprocess.PIPE, stdout=terminal) as filter_process:
            assert filter_process.stdin is not None  # noqa: S101 - for the type checker: stdin=PIPE was requested
            os.dup2(filter_process.stdin.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(terminal, 2)
    finally:
        os.close(terminal)
