"""Output of a verb: one result on stdout, everything else on stderr."""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from typing import Any, TextIO

import click

_log_format = "text"


def printable(text: str) -> str:
    r"""Replace control, bidirectional and unassigned characters, so that text from a file cannot control a terminal.

    >>> printable("no column\n  a\x1b[31m\u202eb")
    'no column\n  a�[31m�b'
    """
    return "".join(
        "\ufffd" if unicodedata.category(letter)[0] == "C" and letter not in "\n\t" else letter for letter in text
    )


def one_line(text: str) -> str:
    r"""As `printable`, for a text that is to stay one line although a name in it may hold line ends.

    >>> one_line("model m\nStopped.")
    'model m Stopped.'
    """
    return printable(" ".join(text.splitlines()))


def choose_log_format(log_format: str) -> None:
    """Set the format of all later lines on stderr of this process, whose threads have no context of click's.

    Args:
        log_format: ``text`` or ``json``.
    """
    global _log_format  # noqa: PLW0603 - a process has one stderr
    _log_format = log_format


def logs_json() -> bool:
    """Whether lines on stderr are JSON objects."""
    return _log_format == "json"


def print_line(text: str, *, level: str = "info", **fields: object) -> None:
    """Print a line to stderr: the text, or with ``--log-format json`` one object with ``time``, ``level``, ``message``.

    Args:
        level: ``info``, ``warning`` or ``error``.
        **fields: What it is about, for JSON: ``config``, ``window``, ``incident``.
    """
    if not logs_json():
        click.echo(printable(text), err=True)
        return
    import orjson  # noqa: PLC0415 - not needed for --help

    line = {"time": datetime.now(UTC), "level": level, "message": printable(text), **fields}
    click.echo(orjson.dumps(line, option=orjson.OPT_UTC_Z, default=str).decode(), err=True)


class Output:
    """Where a verb prints.

    Progress goes to stderr. The result goes to stdout: as text, or with ``--json`` as exactly one document. When the
    verb fails, stdout stays empty and the error is on stderr.
    """

    def __init__(self, *, as_json: bool, stdout: TextIO) -> None:
        self.as_json = as_json
        self._stdout = stdout
        self._finished = False

    def progress(self, text: str, *, level: str = "info", **fields: object) -> None:
        """Print a line to stderr, whatever names in it hold; arguments as of `print_line`."""
        print_line(one_line(text), level=level, **fields)

    def finish(self, document: Mapping[str, object], show: Callable[[], None]) -> None:
        """Print the result, once.

        Args:
            document: the result for ``--json``; may hold dataclasses, aware datetimes, UUIDs and numpy values. NaN and
                infinities become null.

        Raises:
            RuntimeError: a second call, which would print two documents.
        """
        if self._finished:
            raise RuntimeError("Output.finish was called twice.")
        self._finished = True
        if self.as_json:
            self._stdout.write(encode(document))
            self._stdout.flush()
        else:
            show()


def encode(document: Mapping[str, object]) -> str:
    r"""Encode a document as indented JSON with a final newline.

    >>> encode({"windows": [], "coverage": float("nan")})
    '{\n  "windows": [],\n  "coverage": null\n}\n'
    """
    import orjson  # noqa: PLC0415 - not needed for --help

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    return orjson.dumps(document, option=options).decode()


@contextmanager
def open_output(*, as_json: bool) -> Iterator[Output]:
    """Make the `Output` of one verb. With ``--json``, what libraries print to stdout goes to stderr."""
    output = Output(as_json=as_json, stdout=sys.stdout)
    if as_json:
        with redirect_stdout(sys.stderr):
            yield output
    else:
        yield output


def with_output(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Decorator: add the ``--json`` option to a verb, and pass it an `Output` as its keyword argument ``output``.

    Goes below ``@click.command()``::

        @click.command()
        @click.argument("file")
        @with_output
        def command(file: str, output: Output) -> int:
            ...
            output.finish(document, show)
            return 0
    """

    @click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
    @functools.wraps(verb)
    def wrapper(*arguments: Any, as_json: bool, **options: Any) -> int | None:
        with open_output(as_json=as_json) as output:
            return verb(*arguments, output=output, **options)

    return wrapper
