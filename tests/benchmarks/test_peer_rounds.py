from __future__ import annotations

from pathlib import Path

from benchmarks.load_generator import Load
from benchmarks.peer_rounds import LoadResult, Round, Rounds, fingerprint


def result(responses: int) -> LoadResult:
    load = Load(
        connections=16,
        seconds=1.0,
        responses=responses,
        with_warm_up=responses + 1,
        failures=0,
        p50_ms=0.1,
        p99_ms=0.2,
        cpu_seconds=0.5,
    )
    return LoadResult(load=load, cpu_ms=0.05, megabytes=7.5)


def test_an_interrupted_run_reads_the_finished_rounds(tmp_path: Path) -> None:
    path = tmp_path / "dense.json"
    rounds = Rounds.read(path)
    assert rounds.done == []
    rounds.missing = ["LitServe did not run: no network"]
    first: Round = {("ours", 1): result(5), ("ours", 16): result(6)}
    rounds.add(first)
    found = Rounds.read(path)
    assert (found.done, found.missing) == ([first], rounds.missing)
    found.add({("ours", 1): result(7), ("another, in the second round only", 1): result(8)})
    # A server that is missing in one round has no ratios to the others.
    assert Rounds.read(path).results_by_server() == {("ours", 1): [result(5), result(7)]}


def test_the_fingerprint_changes_with_measured_code_only(tmp_path: Path) -> None:
    folder = tmp_path / "serving" / "rest"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("1", "utf-8")
    (tmp_path / "README.md").write_text("one", "utf-8")
    first = fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("two", "utf-8")
    assert fingerprint(tmp_path) == first
    (folder / "app.py").write_text("2", "utf-8")
    assert fingerprint(tmp_path) != first
