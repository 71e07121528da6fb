"""The bench of monitors: same figures in each run, the budget kept on the reference, and a stranger's adapter."""

from __future__ import annotations

import ast
import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.alarm_bench.__main__ import adapter_names, monitor_of
from benchmarks.alarm_bench.streams import Rows, Stream, real_streams
from benchmarks.alarm_bench.tables import digest
from benchmarks.alarm_bench.trials import Outcome, chosen_level, outcome, score
from benchmarks.alarm_bench.worlds import WORLDS, simulated

BENCH = Path(__file__).parents[2] / "benchmarks" / "alarm_bench"
HARM = "a fifth of the labels mixed up"


@pytest.fixture(scope="module")
def stream() -> Stream:
    return simulated(replace(WORLDS[0], rows=60), HARM, seed=3)


def test_a_stream_is_the_same_in_each_run(stream: Stream) -> None:
    again = simulated(replace(WORLDS[0], rows=60), HARM, seed=3)
    assert digest(again) == digest(stream)
    assert digest(simulated(replace(WORLDS[0], rows=60), HARM, seed=4)) != digest(stream)


@pytest.mark.parametrize("name", ["cusum", "ewma", "shewhart"])
def test_a_chart_keeps_the_budget_on_its_reference_and_tells_harm(stream: Stream, name: str) -> None:
    monitor = monitor_of(name)
    said = outcome(monitor, stream)
    assert outcome(monitor, stream) == said
    assert said.level == chosen_level(monitor, stream.reference) > monitor.levels[0]
    (delay,) = score(stream, said).delays
    assert delay is not None


def test_a_score_counts_false_pages_and_windows_to_the_page(stream: Stream) -> None:
    ((first, _),) = stream.harms
    told = score(stream, Outcome(alarms=(3, 7, first + 4, first + 5), level=1.0))
    assert (told.false, told.delays) == (2, (5,))
    assert score(stream, Outcome(alarms=(3,), level=1.0)).delays == (None,)


def test_labels_are_not_known_before_they_come() -> None:
    for stream in real_streams():
        for windows in (stream.reference.windows, stream.windows):
            assert (Rows.joined([window.arrived for window in windows]).label == -1).all()
            known = [row for window in windows for row in window.labelled.label_minute // stream.reference.minutes]
            assert known == sorted(known)


def test_the_bench_knows_nothing_of_the_monitor_but_in_its_adapter() -> None:
    for path in BENCH.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        names |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
        used = {str(name).split(".")[0] for name in names} & {"benchmarks", "monitoring", "pitfalls_tf", "serving"}
        assert used == ({"monitoring"} if path.stem == "this_monitor" else set()), path


def test_each_adapter_is_short() -> None:
    for name in adapter_names():
        lines = (BENCH / "adapters" / f"{name}.py").read_text("utf-8").split("TITLE =", 1)[1].splitlines()
        assert len([line for line in lines if line.strip()]) <= 30, name


def test_a_strangers_adapter_runs_by_itself_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (BENCH / "README.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "mine.py").write_text(code, "utf-8")
    monkeypatch.syspath_prepend(str(BENCH.parent))
    main = importlib.import_module("alarm_bench.__main__").main
    command = [str(tmp_path / "mine.py"), "--quick", "--jobs", "1", "--results", str(tmp_path)]
    said = []
    for arguments in (command, command, [*command, "--again"]):
        assert main(arguments) == 0
        said.append(capsys.readouterr())
    assert "| mean of the last three windows | 0." in said[0].out
    assert said[2].out == said[1].out == said[0].out
    ran = ("2 of 2 streams", "0 of 2 streams", "level and alarms as kept on 2 of 2 streams")
    for each, words in zip(said, ran, strict=True):
        assert words in each.err


def test_a_run_that_differs_from_what_was_kept_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: Stream
) -> None:
    monkeypatch.syspath_prepend(str(BENCH.parent))
    bench, tables = (importlib.import_module(f"alarm_bench.{name}") for name in ("__main__", "tables"))
    kept = tmp_path / "never.json"
    kept.write_text(
        tables.Results(title="never", outcomes={stream.name: Outcome(alarms=(3,), level=0.0)}).json([stream])
    )
    assert bench.measure("never", kept, [stream], 1, again=True).endswith(f"on 0 of 1 streams, others on {stream.name}")
