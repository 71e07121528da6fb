"""Turns errors into messages on stderr and exit codes.

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done, healthy
1     done, and a page was raised, a drill's fault missed, or a model refused: by a gate, or by what a rollout requires
2     wrong input: usage, arguments, configuration, data
3     cannot run: the environment, or a defect of pitfalls (with its traceback)
4     done, and it can't be told yet whether a candidate is what a rollout requires
130   interrupted from the keyboard, as in shells
141   the reader of the output went away (SIGPIPE), as in shells
====  ==========================================================================
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn

import click

from monitoring.distribution import DISTRIBUTIONS, installed
from monitoring.errors import BadInput, CannotRun, PitfallsError
from pitfalls_tf.cli.output import print_line

INTERRUPTED = 130
PIPE_CLOSED = 141
#: A module of ours that is not found is a defect.
OURS = frozenset({"monitoring", "serving", "pitfalls_tf"})
#: Libraries that the light distribution has as extras.
EXTRA_OF = {"evidently": "evidently", "tensorflow_data_validation": "tfdv", "tensorflow_metadata": "tfdv"}
#: Modules that write to the standard streams only.
PRINTERS = frozenset({"click.utils", "rich.console", "pitfalls_tf.cli.output"})


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print an error of a verb and raise ``click.exceptions.Exit`` with its exit code.

    Usage errors pass: click prints them with the usage line and exits with 2. Unexpected exceptions pass too, because a
    report of the defect needs the traceback.

    Raises:
        Exit: click's exception, with the exit code.

    >>> with exit_on_error():
    ...     raise CannotRun("Port in use.", got="8501", expected="a free port", fix="Pass --rest-port.")
    Traceback (most recent call last):
    click.exceptions.Exit: 3
    """
    try:
        yield
    except PitfallsError as error:
        print_line(f"Error: {error}", level="error")
        raise click.exceptions.Exit(error.exit_code) from error
    except click.UsageError:
        raise
    except click.ClickException as error:
        error.show()
        raise click.exceptions.Exit(BadInput.exit_code) from error
    except (KeyboardInterrupt, click.Abort) as error:
        print_line("Interrupted.")
        raise click.exceptions.Exit(INTERRUPTED) from error
    except (MemoryError, ModuleNotFoundError) as error:
        reason = _out_of_memory(error) if isinstance(error, MemoryError) else _missing_library(error)
        print_line(f"Error: {reason}", level="error")
        raise click.exceptions.Exit(reason.exit_code) from error
    except BrokenPipeError as error:
        _discard_stdout()
        raise click.exceptions.Exit(PIPE_CLOSED) from error
    except OSError as error:
        if not _failed_on_stdout(error):
            raise
        _discard_stdout()
        unwritten = CannotRun(
            "The result cannot be written.",
            got=f"standard output: {error.strerror}",
            expected="a writable output with free space",
            fix="Free space or redirect the output, then run it again.",
        )
        print_line(f"Error: {unwritten}", level="error")
        raise click.exceptions.Exit(unwritten.exit_code) from error


def _out_of_memory(error: MemoryError) -> CannotRun:
    return CannotRun(
        "There is not enough memory.",
        got=str(error).partition("\n")[0][:200] or "an allocation that failed",
        expected="room for the rows that are read at a time",
        fix="A file may stand for far more rows than its size shows: look at it, or give the process more memory.",
    )


def _missing_library(error: ModuleNotFoundError) -> CannotRun:
    """The message for a library that is not installed; that one of our own modules is missing is a defect.

    The light distribution has no other modules of ours than those that watch.
    """
    root = (error.name or "").partition(".")[0]
    if root in OURS:
        if installed(DISTRIBUTIONS[0]) or not installed(DISTRIBUTIONS[1]):
            raise error
        return CannotRun(
            "This is not in the light distribution, which watches and does neither train nor serve.",
            got=f"no {error.name}",
            expected=f"{DISTRIBUTIONS[0]}, the complete one",
            fix=f"Install it over this one: pip install {DISTRIBUTIONS[0]}",
        )
    is_light = installed(DISTRIBUTIONS[1]) and not installed(DISTRIBUTIONS[0])
    extra = EXTRA_OF.get(root) if is_light else None
    whole = "Install pitfalls-tf with its dependencies: pip install pitfalls-tf"
    return CannotRun(
        "This verb needs a library that is not installed.",
        got=f"no {error.name}",
        expected="all that pitfalls-tf depends on; requirements-serve.lock has what pitfalls serve needs alone",
        fix=f"pip install '{DISTRIBUTIONS[1]}[{extra}]'" if extra else whole,
    )


def _failed_on_stdout(error: OSError) -> bool:
    """Whether writing to stdout failed.

    Unwritten text is still buffered, so a flush fails too. Without a buffer (PYTHONUNBUFFERED) the module that raised
    the error decides.
    """
    try:
        sys.stdout.flush()
    except OSError:
        return True
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__") in PRINTERS


def _discard_stdout() -> None:
    """Redirect stdout, with its buffered text, to the null device; otherwise the interpreter complains at exit."""
    null_device = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null_device, sys.stdout.fileno())
    os.close(null_device)


def exit_on_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """`sys.excepthook` of the command line: print the traceback and exit with 3; Python's own 1 means a page here.

    Raises:
        SystemExit: with code 3.
    """
    traceback.print_exception(kind, error, trace)
    click.echo("Error: this is a defect of pitfalls. Please report it with the lines above.", err=True)
    raise SystemExit(CannotRun.exit_code)
