"""Rounds that were kept are those that were seen, and other code has others."""

from __future__ import annotations

from pathlib import Path

from benchmarks.load_generator import Load
from benchmarks.peer_rounds import Round, Rounds, Seen, fingerprint


def seen(answers: int) -> Seen:
    load = Load(
        connections=16,
        seconds=1.0,
        answers=answers,
        with_warm_up=answers + 1,
        failures=0,
        p50_ms=0.1,
        p99_ms=0.2,
        cpu_seconds=0.5,
    )
    return Seen(load=load, cpu_ms=0.05, megabytes=7.5)


def test_an_interrupted_run_finds_the_rounds_that_were_done(tmp_path: Path) -> None:
    path = tmp_path / "dense.json"
    begun = Rounds.at(path)
    assert begun.done == []
    begun.missing = ["LitServe was not run: no network"]
    first: Round = {("ours", 1): seen(5), ("ours", 16): seen(6)}
    begun.keep(first)
    found = Rounds.at(path)
    assert (found.done, found.missing) == ([first], begun.missing)
    found.keep({("ours", 1): seen(7), ("another, started only now", 1): seen(8)})
    # A server that was not there in every round has no ratios to the others.
    assert Rounds.at(path).sightings() == {("ours", 1): [seen(5), seen(7)]}


def test_other_code_is_another_measurement(tmp_path: Path) -> None:
    folder = tmp_path / "serving" / "rest"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("1", "utf-8")
    (tmp_path / "README.md").write_text("one", "utf-8")
    first = fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("two", "utf-8")
    assert fingerprint(tmp_path) == first
    (folder / "app.py").write_text("2", "utf-8")
    assert fingerprint(tmp_path) != first
