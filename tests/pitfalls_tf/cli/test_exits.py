"""Each way a verb can end has its exit code, and 1 is kept for a page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
import pytest
from click.testing import CliRunner

from monitoring.errors import BadInput, CannotRun, PitfallsError
from pitfalls_tf.cli.exits import exits
from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from click.testing import Result

WRONG = BadInput("No such setup.", got="'fligths'", expected="one of: flights", fix="Did you mean flights?")
BLOCKED = CannotRun("Port in use.", got="8501", expected="a free port", fix="Pass --rest-port.")


def end_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Run a verb that raises `error`."""

    @click.command()
    def command() -> NoReturn:
        raise error

    group = LazyGroup("tools", verbs={"fail": Verb("unused", "Fail.")})
    monkeypatch.setattr(LazyGroup, "get_command", lambda self, ctx, cmd_name: command)
    return CliRunner().invoke(group, ["fail"])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (WRONG, 2, f"Error: {WRONG}\n"),
        (BLOCKED, 3, f"Error: {BLOCKED}\n"),
        (PitfallsError("Odd.", got="a", expected="b", fix="c."), 3, "Error: Odd. Got a; expected b. c.\n"),
        (click.FileError("rows.csv", "gone"), 2, "Error: Could not open file 'rows.csv': gone\n"),
        (click.ClickException("Plain."), 2, "Error: Plain.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (click.exceptions.Exit(7), 7, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value)[:20],
)
def test_an_error_ends_with_its_message_on_stderr_and_its_code(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = end_with(error, monkeypatch)
    assert (result.exit_code, result.stderr, result.stdout) == (code, message, "")


def test_usage_errors_keep_clicks_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    result = end_with(click.UsageError("Give one of the two."), monkeypatch)
    assert result.exit_code == 2
    assert "Usage: tools" in result.stderr
    assert "Give one of the two." in result.stderr


def test_what_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), exits():
        raise ZeroDivisionError


def run_main(
    table: str, *arguments: str, closed_stdout: bool = False, stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    """The real entry point in a process of its own, over a table of verbs defined in `table`."""
    program = f"""
import signal, sys, types, click
from pitfalls_tf.cli import VERBS, main
from pitfalls_tf.cli.group import Verb
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
{table}
sys.modules["made_up"] = types.ModuleType("made_up")
sys.modules["made_up"].command = command
VERBS["made-up"] = Verb("made_up", "Made up.")
main()
"""
    command = [sys.executable, "-c", program, *arguments]
    if stdout is not None:
        return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    if not closed_stdout:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    finally:
        os.close(writer)


def test_a_defect_ends_with_its_traceback_and_three() -> None:
    done = run_main("@click.command()\ndef command():\n    1 / 0", "made-up")
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "a defect of pitfalls" in done.stderr


@pytest.mark.parametrize("arguments", [["made-up"], ["--help"]], ids=["a verb", "help"])
def test_a_reader_that_went_away_is_no_error_message(arguments: list[str]) -> None:
    done = run_main("@click.command()\ndef command():\n    click.echo('x')", *arguments, closed_stdout=True)
    assert (done.returncode, done.stderr) == (141, "")


ANSWERING = """
from pitfalls_tf.cli.output import answers
@click.command()
@answers
def command(output):
    output.finish({"x": 1}, lambda: click.echo("x"))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments",
    [["made-up"], ["made-up", "--json"], ["made-up", "--help"], ["--help"], ["--version"]],
    ids=" ".join,
)
def test_an_answer_that_finds_no_room_is_one_line_and_three(
    arguments: list[str], unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        done = run_main(ANSWERING, *arguments, stdout=full.fileno())
    assert done.returncode == 3
    assert done.stderr.startswith("Error: The answer could not be written. Got standard output: No space left")
    assert done.stderr.count("\n") == 1


def test_another_file_that_finds_no_room_is_not_taken_for_the_answer() -> None:
    done = run_main("@click.command()\ndef command():\n    raise OSError(28, 'No space left on device')", "made-up")
    assert done.returncode == 3
    assert "a defect of pitfalls" in done.stderr


def test_an_interrupt_from_the_keyboard_ends_with_130() -> None:
    done = run_main(
        f"import os\n@click.command()\ndef command():\n    os.kill(os.getpid(), {int(signal.SIGINT)})", "made-up"
    )
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


def test_libraries_are_told_to_be_quiet_before_a_verb_is_loaded() -> None:
    done = run_main(
        "import os\n@click.command()\ndef command():\n    click.echo(os.environ['DO_NOT_TRACK'])", "made-up"
    )
    assert (done.returncode, done.stdout) == (0, "1\n")
