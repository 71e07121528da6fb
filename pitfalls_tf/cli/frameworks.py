"""Imports the big frameworks for a verb, without the lines they print about graphics cards and notebooks."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import subprocess
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Written by native code straight to file descriptor 2 before any logging setting is read, or printed by TFDV where
# there is no notebook: the same lines on every machine, and nothing that a reader could act on.
NOISE = (
    r"^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    r"|^I0000 .*(cudart_stub|cpu_feature_guard|port)\.cc"
    r"|^To enable the following instructions: .* rebuild TensorFlow"
    r"|^Unable to import IPython"
    r"|^TFDV visualization APIs will not function"
    # TensorFlow's own copy of Arrow, about the pool of pyarrow's.
    r"|memory_pool\.cc:.*Unsupported backend 'jemalloc'"
)


def load_frameworks(*names: str) -> None:
    """Import each module by name, dropping known noise from stderr and passing on every other line.

    A verb calls this just before the function that needs TensorFlow, TFDV or Evidently. Costs their import time,
    several seconds each. Raises ImportError as the plain import would.

    >>> load_frameworks("json", "csv")
    """
    with _sieved_stderr(), warnings.catch_warnings():
        # Evidently's plain-string regular expressions, shown once when Python 3.12 or later first compiles them.
        warnings.filterwarnings("ignore", "invalid escape sequence", SyntaxWarning)
        for name in names:
            importlib.import_module(name)
    # It calls the session road deprecated at every load, to whoever runs the server as much as to who wrote it.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextmanager
def _sieved_stderr() -> Iterator[None]:
    """Lead file descriptor 2 through ``grep -v NOISE`` meanwhile.

    A process of its own, not a buffer in this one: should native code abort, its last words still come through.
    """
    grep = shutil.which("grep")
    if grep is None:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with subprocess.Popen([grep, "-v", "-E", NOISE], stdin=subprocess.PIPE, stdout=terminal) as sieve:
            assert sieve.stdin is not None  # noqa: S101 - for the type checker: stdin=PIPE was asked for
            os.dup2(sieve.stdin.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(terminal, 2)
    finally:
        os.close(terminal)
