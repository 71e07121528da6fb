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
from pitfalls_tf.cli.exits import exit_on_error
from pitfalls_tf.cli.group import LazyGroup, Verb

if TYPE_CHECKING:
    from click.testing import Result

WRONG = BadInput("No such setup.", got="'fligths'", expected="one of: flights", fix="Did you mean flights?")
BLOCKED = CannotRun("Port in use.", got="8501", expected="a free port", fix="Pass --rest-port.")

OUT_OF_MEMORY = CannotRun(
    "There is not enough memory.",
    got="malloc of size 9 failed",
    expected="room for the rows that are read at a time",
    fix="A file may stand for far more rows than its size shows: look at it, or give the process more memory.",
)

LACKING = CannotRun(
    "This verb needs a library that is not installed.",
    got="no pydantic",
    expected="all that pitfalls-tf depends on; requirements-serve.lock has what pitfalls serve needs alone",
    fix="Install pitfalls-tf with its dependencies: pip install pitfalls-tf",
)


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
        (MemoryError("malloc of size 9 failed"), 3, f"Error: {OUT_OF_MEMORY}\n"),
        (ModuleNotFoundError("No module named 'pydantic'", name="pydantic"), 3, f"Error: {LACKING}\n"),
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


def test_usage_errors_keep_the_text_of_click(monkeypatch: pytest.MonkeyPatch) -> None:
    result = end_with(click.UsageError("Give one of the two."), monkeypatch)
    assert result.exit_code == 2
    assert "Usage: tools" in result.stderr
    assert "Give one of the two." in result.stderr


def test_unexpected_exceptions_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), exit_on_error():
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


def test_a_defect_prints_its_traceback_and_exits_with_3() -> None:
    done = run_main("@click.command()\ndef command():\n    1 / 0", "made-up")
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert "a defect of pitfalls" in done.stderr


@pytest.mark.parametrize("arguments", [["made-up"], ["--help"]], ids=["a verb", "help"])
def test_a_closed_pipe_prints_no_error(arguments: list[str]) -> None:
    done = run_main("@click.command()\ndef command():\n    click.echo('x')", *arguments, closed_stdout=True)
    assert (done.returncode, done.stderr) == (141, "")


WITH_RESULT = """
from pitfalls_tf.cli.output import with_output
@click.command()
@with_output
def command(output):
    output.finish({"x": 1}, lambda: click.echo("x"))
"""


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments", [["made-up"], ["made-up", "--json"], ["made-up", "--help"], ["--help"], ["--version"]], ids=" ".join
)
def test_a_result_that_cannot_be_written_for_lack_of_space_is_one_line_and_exit_3(
    arguments: list[str], unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        done = run_main(WITH_RESULT, *arguments, stdout=full.fileno())
    assert done.returncode == 3
    assert done.stderr.startswith("Error: The result cannot be written. Got standard output: No space left")
    assert done.stderr.count("\n") == 1


def test_lack_of_space_for_another_file_is_not_attributed_to_the_result() -> None:
    done = run_main("@click.command()\ndef command():\n    raise OSError(28, 'No space left on device')", "made-up")
    assert done.returncode == 3
    assert "a defect of pitfalls" in done.stderr


def test_an_interrupt_from_the_keyboard_exits_with_130() -> None:
    done = run_main(
        f"import os\n@click.command()\ndef command():\n    os.kill(os.getpid(), {int(signal.SIGINT)})", "made-up"
    )
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


def test_environment_variables_of_libraries_are_set_before_a_verb_is_loaded() -> None:
    done = run_main(
        "import os\n@click.command()\ndef command():\n    click.echo(os.environ['DO_NOT_TRACK'])", "made-up"
    )
    assert (done.returncode, done.stdout) == (0, "1\n")
