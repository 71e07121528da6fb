"""One answer on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import CannotRun
from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.group import LazyGroup, Verb
from pitfalls_tf.cli.output import choose_log_format, encode, open_output, print_line, with_output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pitfalls_tf.cli.output import Output

DOCUMENT: dict[str, object] = {"model": "flights", "windows": []}


@click.command()
@click.option("--fail", is_flag=True)
@with_output
def talkative(fail: bool, output: Output) -> int:
    """A verb whose libraries print where they should not."""
    output.progress("training")
    sys.stdout.write("a library's progress bar\n")
    if fail:
        raise CannotRun("Disk full.", got="0 bytes", expected="some", fix="Make room.")
    output.finish(DOCUMENT, lambda: click.echo("all is well"))
    return 0


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group that holds the talkative verb."""
    monkeypatch.setattr(LazyGroup, "get_command", lambda self, ctx, cmd_name: talkative)
    return LazyGroup("tools", verbs={"talk": Verb("unused", "Talk.")})


def test_a_person_reads_the_answer_on_stdout_and_progress_on_stderr(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["talk"])
    assert result.stdout.endswith("all is well\n")
    assert result.stderr == "training\n"


def test_json_is_the_only_thing_on_stdout(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["talk", "--json"])
    assert json.loads(result.stdout) == DOCUMENT
    assert result.stderr == "training\na library's progress bar\n"


def test_a_verb_that_fails_leaves_stdout_empty(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["talk", "--json", "--fail"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.endswith("Error: Disk full. Got 0 bytes; expected some. Make room.\n")


def test_a_second_answer_is_refused() -> None:
    with open_output(as_json=True) as output:
        output.finish({}, lambda: None)
        with pytest.raises(RuntimeError, match="called twice"):
            output.finish({}, lambda: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A record as verbs return them."""

    at: datetime
    values: np.ndarray


def test_records_times_and_arrays_need_no_conversion() -> None:
    reading = Reading(at=datetime(2013, 4, 21, tzinfo=UTC), values=np.array([0.5, np.nan], np.float32))
    assert json.loads(encode({"reading": reading})) == {
        "reading": {"at": "2013-04-21T00:00:00Z", "values": [0.5, None]}
    }


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_encoded_reads_back_the_same(document: dict[str, object]) -> None:
    assert json.loads(encode(document)) == document


@pytest.fixture
def json_lines() -> Iterator[None]:
    choose_log_format("json")
    yield
    choose_log_format("text")


@pytest.mark.usefixtures("json_lines")
def test_lines_are_objects_where_json_is_asked_for(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["talk", "--fail"])
    lines = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert [(line["level"], line["message"].splitlines()[0]) for line in lines] == [
        ("info", "training"),
        ("error", "Error: Disk full. Got 0 bytes; expected some. Make room."),
    ]
    assert all(datetime.fromisoformat(line["time"]).tzinfo is not None for line in lines)


def test_a_line_has_its_fields_and_no_control_characters(capsys: pytest.CaptureFixture[str], json_lines: None) -> None:
    print_line("a\x1b[31m\nb", config="one", window=datetime(2024, 1, 1, tzinfo=UTC), incident=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line).items() >= {"message": "a\ufffd[31m\nb", "config": "one", "incident": 3}.items()


def test_the_format_is_chosen_by_flag_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for arguments, environment in ((["--log-format", "json"], {}), ([], {"PITFALLS_LOG_FORMAT": "json"})):
            choose_log_format("text")
            result = CliRunner().invoke(pitfalls, [*arguments, "traffic", "/no/such/log"], env=environment)
            assert json.loads(result.stderr)["level"] == "error"
    finally:
        choose_log_format("text")


def test_what_is_reported_stays_one_line_whatever_a_name_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with open_output(as_json=False) as output:
        output.progress("Version 1 of n\nERROR forged is available.")
    assert capsys.readouterr().err == "Version 1 of n ERROR forged is available.\n"
