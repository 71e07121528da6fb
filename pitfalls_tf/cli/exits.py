"""The one place where an error becomes a message on stderr and an exit code.

====  ==========================================================================
code  meaning
====  ==========================================================================
0     done, and healthy
1     done, and a page was raised; nothing else ends with 1
2     wrong input: usage, arguments, configuration, data
3     cannot run: the surroundings, or a defect of ours (with its traceback)
130   interrupted from the keyboard, as shells say it
141   whoever read our output went away, as shells say it
====  ==========================================================================
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from monitoring.errors import BadInput, CannotRun, PitfallsError
from pitfalls_tf.cli.output import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

INTERRUPTED = 130
PIPE_CLOSED = 141
#: They write to the standard streams, and to nothing else.
PRINTERS = frozenset({"click.utils", "rich.console", "pitfalls_tf.cli.output"})


@contextmanager
def exits() -> Iterator[None]:
    """Turn what a verb may raise into ``click.exceptions.Exit`` with the right code.

    Usage errors pass through: click prints those itself, with the usage line, and exits 2. An exception that nobody
    foresaw passes through too, because its traceback is what a report of the defect needs.

    >>> with exits():
    ...     raise CannotRun("Port in use.", got="8501", expected="a free port", fix="Pass --rest-port.")
    Traceback (most recent call last):
    click.exceptions.Exit: 3
    """
    try:
        yield
    except PitfallsError as error:
        click.echo(f"Error: {visible(str(error))}", err=True)
        raise click.exceptions.Exit(error.exit_code) from error
    except click.UsageError:
        raise
    except click.ClickException as error:
        error.show()
        raise click.exceptions.Exit(BadInput.exit_code) from error
    except (KeyboardInterrupt, click.Abort) as error:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from error
    except BrokenPipeError as error:
        _drop_stdout()
        raise click.exceptions.Exit(PIPE_CLOSED) from error
    except OSError as error:
        if not _is_of_stdout(error):
            raise
        _drop_stdout()
        unwritten = CannotRun(
            "The answer could not be written.",
            got=f"standard output: {error.strerror}",
            expected="a place with room, which may be written",
            fix="Make room or send it elsewhere, then run it again.",
        )
        click.echo(f"Error: {unwritten}", err=True)
        raise click.exceptions.Exit(unwritten.exit_code) from error


def _is_of_stdout(error: OSError) -> bool:
    """Whether it was stdout that could not be written.

    What it could not take is still held for it. Where nothing is held (PYTHONUNBUFFERED), whoever raised this tells.
    """
    try:
        sys.stdout.flush()
    except OSError:
        return True
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__") in PRINTERS


def _drop_stdout() -> None:
    """Send what is still held for a closed pipe or a full disk nowhere, or the interpreter complains at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def exit_on_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> NoReturn:
    """`sys.excepthook` of the command line: the traceback, then exit 3, because Python's own 1 means a page here."""
    traceback.print_exception(kind, error, trace)
    click.echo("Error: a defect of pitfalls, not of your input. Please report it with the lines above.", err=True)
    raise SystemExit(CannotRun.exit_code)
