"""One new baseline at a time, whichever processes ask for it."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from monitoring.config import load_config
from monitoring.errors import AnotherRun
from monitoring.onboarding import rebaseline as module
from monitoring.onboarding.rebaseline import live_reference, rebaseline, undo_rebaseline
from monitoring.store.store import Store
from tests.monitoring.onboarding.rebaseline.test_rebaseline import ASKED, SAID, after, judge, new_normal, send, stored


def test_while_a_run_or_another_new_baseline_is_at_work_nothing_is_changed(config: Path) -> None:
    before, text = sorted(config.parent.iterdir()), config.read_text()
    found = load_config(config)
    with Store.open(found.store.url) as store, store.leases.take(1, "rebaseline-other", after(ASKED), 120):
        with pytest.raises(AnotherRun, match="a lease of rebaseline-other"):
            new_normal(config)
        with pytest.raises(AnotherRun, match="a lease of rebaseline-other"):
            undo_rebaseline(config, by="bob", clock=lambda: after(ASKED))
    assert (sorted(config.parent.iterdir()), config.read_text()) == (before, text)
    made = new_normal(config)
    with pytest.raises(AnotherRun, match="another baseline since its config was read"):
        rebaseline(config, found, SAID, clock=lambda: after(ASKED))
    with Store.open(found.store.url) as store:
        assert [one.since for one in store.rebaselines.read(1)] == [made.since]
        assert store.leases.read() == ()


def test_one_that_took_too_long_and_was_overtaken_changes_nothing(config: Path) -> None:
    text, times = config.read_text(), iter([after(ASKED)] * 2)

    def clock() -> object:
        moment = next(times, None)
        if moment is None:
            with Store.open(load_config(config).store.url) as store:
                store.leases.take(1, "faster", after(ASKED) + timedelta(minutes=3), 120)
        return moment or after(ASKED) + timedelta(minutes=3)

    with pytest.raises(AnotherRun, match="has taken over"):
        rebaseline(config, load_config(config), SAID, clock=clock)  # type: ignore[arg-type]  # gives times
    assert config.read_text() == text
    assert [path.name for path in config.parent.glob("baseline-*")] == []


def test_a_deployment_that_judged_nothing_yet_is_held_as_well(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{config.parent}/fresh.db"
    monkeypatch.setenv("PITFALLS_STORE_URL", url)
    found = load_config(config)
    refused = []

    def rows_of_others(*arguments: object) -> object:
        """Somebody else tries while the rows are read."""
        for attempt in (lambda: new_normal(config), lambda: judge(config, ASKED)):
            with pytest.raises(AnotherRun) as raised:
                attempt()
            refused.append(str(raised.value))
        return live_reference(*arguments)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(module, "live_reference", rows_of_others)
    made = rebaseline(config, found, SAID, clock=lambda: after(ASKED))
    assert ["a lease of rebaseline-" in text for text in refused] == [True, True]
    assert made.notes[0] == "Its history begins with the new baseline."
    monkeypatch.setattr(module, "live_reference", live_reference)
    send(config, ASKED, ASKED + 3)
    judged = judge(config, ASKED + 3)
    assert [window.start for window in judged.windows] == [made.since + timedelta(days=day) for day in range(3)]
    with Store.open(url) as store:
        assert store.leases.read() == ()
        assert [one.since for one in store.rebaselines.read(made.deployment or 0)] == [made.since]


def _ask(path: Path, begin: Barrier, by: str) -> None:
    """One process: reads the config, waits for the other one, and asks."""
    found = load_config(path)
    begin.wait(120)
    try:
        rebaseline(path, found, SAID, clock=lambda: after(ASKED))
    except AnotherRun:
        path.with_name(f"refused-{by}").touch()


@pytest.mark.slow
def test_of_two_processes_one_makes_a_new_baseline(config: Path) -> None:
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(2)
    processes = [context.Process(target=_ask, args=(config, begin, by)) for by in ("ada", "bob")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list(config.parent.glob("refused-*"))) == 1
    found = load_config(config)
    with Store.open(found.store.url) as store:
        assert [one.since for one in store.rebaselines.read(1)] == [found.baseline.since]
        assert store.leases.read() == ()
    assert found.baseline.path is not None
    assert list(config.parent.glob("baseline-*")) == [found.baseline.path]
    assert stored(config).windows
