"""What a verb prints: one answer on stdout, everything else on stderr."""

from __future__ import annotations

import functools
import sys
import unicodedata
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def visible(text: str) -> str:
    r"""A message that may quote a file: its control, bidirectional and unassigned characters cannot act on a terminal.

    >>> visible("no column\n  a\x1b[31m\u202eb")
    'no column\n  a�[31m�b'
    """
    return "".join(
        "\ufffd" if unicodedata.category(letter)[0] == "C" and letter not in "\n\t" else letter for letter in text
    )


class Output:
    """Where a verb's words go.

    Progress goes to stderr in either form. The answer goes to stdout: for a person as the verb shows it, with
    ``--json`` as exactly one document. When the verb fails, stdout stays empty and the error is on stderr.
    """

    def __init__(self, *, as_json: bool, stdout: TextIO) -> None:
        self.as_json = as_json
        self._stdout = stdout
        self._finished = False

    def progress(self, text: str) -> None:
        """One line about what is happening now, on stderr."""
        click.echo(visible(text), err=True)

    def finish(self, document: Mapping[str, object], show: Callable[[], None]) -> None:
        """Give the answer, once: ``document`` with ``--json``, otherwise call ``show``, which prints to stdout.

        The document may hold dataclasses, aware datetimes, UUIDs and numpy values; NaN and infinities become null.
        Raises RuntimeError on a second call, which would make two documents.
        """
        if self._finished:
            raise RuntimeError("A verb answers once, and this one has already.")
        self._finished = True
        if self.as_json:
            self._stdout.write(encode(document))
            self._stdout.flush()
        else:
            show()


def encode(document: Mapping[str, object]) -> str:
    r"""The document as indented JSON text with a newline at its end.

    >>> encode({"windows": [], "coverage": float("nan")})
    '{\n  "windows": [],\n  "coverage": null\n}\n'
    """
    import orjson  # noqa: PLC0415 - a verb's help has no use for it

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    return orjson.dumps(document, option=options).decode()


@contextmanager
def answering(*, as_json: bool) -> Iterator[Output]:
    """An `Output` for one verb. With ``--json``, whatever a library prints meanwhile is sent to stderr."""
    output = Output(as_json=as_json, stdout=sys.stdout)
    if as_json:
        with redirect_stdout(sys.stderr):
            yield output
    else:
        yield output


def answers(verb: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give a verb the ``--json`` option and, as its keyword argument ``output``, the `Output` to answer with.

    Goes below ``@click.command()``::

        @click.command()
        @click.argument("file")
        @answers
        def command(file: str, output: Output) -> int:
            ...
            output.finish(document, show)
            return 0
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, and nothing else there.")
    @functools.wraps(verb)
    def answered(*arguments: Any, as_json: bool, **options: Any) -> int | None:
        with answering(as_json=as_json) as output:
            return verb(*arguments, output=output, **options)

    return answered
