"""A finished replay in the store."""

from __future__ import annotations

from pathlib import Path

from monitoring.rollout.actions import Author
from monitoring.rollout.log.evidence_job import CountedWindow
from monitoring.rollout.log.versions import find_versions
from monitoring.rollout.replay.log_replay import replay_log, save_replay
from monitoring.rollout.rollout_settings import rules_of_text, setting
from monitoring.store.store import Store
from tests.monitoring.rollout.replay.test_log_replay import REQUEST
from tests.monitoring.rollout.two_bundles import NOW, FormulaScorer, truth, two_bundles

AUTHOR = Author(by="ada", release="1", clock=lambda: NOW)


def test_a_replay_comes_back_as_it_was(tmp_path: Path) -> None:
    config = two_bundles(tmp_path)
    versions = find_versions(config)
    found = replay_log(versions, REQUEST, FormulaScorer(truth(config)), clock=lambda: NOW)
    with Store.open(config.store.url) as store:
        saved = save_replay(store, versions, REQUEST, found, AUTHOR, NOW)
        again = save_replay(store, versions, REQUEST, found, AUTHOR, NOW)
        assert [one.number for one in store.rollouts.latest("flights")] == [again.number, saved.number]
        record = store.rollouts.read(saved.number)
        windows = store.rollouts.windows(saved.number)
        (event,) = store.rollouts.events(saved.number)
    assert record.result == found.result.result
    assert (record.state, record.mode, record.champion, record.candidate) == ("finished", "replay", 1, 2)
    assert rules_of_text(record.settings) == REQUEST.rules
    assert setting(record.settings, "trained_until") == "2013-04-03T00:00:00+00:00"
    assert event.text == f"Replayed: {found.result.result.verdict}."
    assert tuple(CountedWindow.of(*window) for window in windows) == found.windows
