"""Windows of paired rows out of two logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.log.candidate_log import CandidateLog
from monitoring.rollout.log.evidence_job import ChosenByHash, plan_of
from monitoring.rollout.log.paired_log import PairedLog, champion_log, unanswered, windows_of
from monitoring.rollout.log.versions import Versions, find_versions
from monitoring.tasks.label_codes import has_label
from monitoring.traffic.windows import Window
from tests.monitoring.rollout.two_bundles import NOW, FormulaScorer, logged, two_bundles

DAY = Window(start=datetime(2013, 4, 5, tzinfo=UTC), end=datetime(2013, 4, 6, tzinfo=UTC))
ALL = ChosenByHash("salt", 1.0)
HALF = ChosenByHash("salt", 0.5)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return find_versions(two_bundles(tmp_path))


def answer(versions: Versions, folder: Path, chosen: ChosenByHash) -> None:
    champion = champion_log(versions)
    with CandidateLog(folder, versions, clock=lambda: NOW) as log:
        for rows in unanswered(champion, DAY, chosen, log.ids(DAY.start, DAY.end), rows=7):
            log.append(rows, FormulaScorer(lambda table: 1.0 - logged(table)).score(rows))


def paired(versions: Versions, folder: Path) -> PairedLog:
    return PairedLog(versions, champion_log(versions), folder, horizon=rules_of(versions.config).horizon)


def test_rows_are_joined_by_their_ids(versions: Versions, tmp_path: Path) -> None:
    answer(versions, tmp_path / "answers", ALL)
    found = paired(versions, tmp_path / "answers").read(DAY, known_by=NOW, chosen=ALL)
    assert found.chosen == found.logged == len(found.pairs) == 40
    np.testing.assert_allclose(found.pairs.candidate, 1.0 - found.pairs.champion, atol=1e-6)
    assert has_label(found.pairs.labels).all()


def test_labels_that_come_later_are_not_there_yet(versions: Versions, tmp_path: Path) -> None:
    answer(versions, tmp_path / "answers", ALL)
    found = paired(versions, tmp_path / "answers").read(DAY, known_by=DAY.start, chosen=ALL)
    assert not has_label(found.pairs.labels).any()


def test_rows_that_nobody_chose_or_answered_are_no_pairs(versions: Versions, tmp_path: Path) -> None:
    answer(versions, tmp_path / "answers", HALF)
    found = paired(versions, tmp_path / "answers").read(DAY, known_by=NOW, chosen=HALF)
    assert found.chosen == len(found.pairs) < found.logged == 40
    wider = paired(versions, tmp_path / "answers").read(DAY, known_by=NOW, chosen=ALL)
    assert wider.chosen == 40
    assert len(wider.pairs) == found.chosen


def test_what_was_answered_is_not_asked_for_again(versions: Versions, tmp_path: Path) -> None:
    answer(versions, tmp_path / "answers", HALF)
    champion = champion_log(versions)
    with CandidateLog(tmp_path / "answers", versions, clock=lambda: NOW) as log:
        known = log.ids(DAY.start, DAY.end)
        rest = sum(rows.num_rows for rows in unanswered(champion, DAY, ALL, known))
        assert not list(unanswered(champion, DAY, HALF, known))
    assert rest == 40 - HALF(champion.read(DAY)[0].ids, np.zeros(40, np.int64)).sum()


def test_windows_are_those_with_rows(versions: Versions) -> None:
    champion, plan = champion_log(versions), plan_of(versions.config)
    everything = windows_of(champion, plan, since=None, until=None)
    assert len(everything) == 16
    assert everything[0].start == datetime(2013, 4, 1, tzinfo=UTC)
    some = windows_of(champion, plan, since=DAY.start, until=DAY.end + timedelta(days=1))
    assert [window.start.day for window in some] == [5, 6]


def test_a_table_has_no_requests(versions: Versions, tmp_path: Path) -> None:
    traffic = versions.config.traffic.with_path(tmp_path / "live-1.parquet")
    config = versions.config.model_copy(update={"traffic": traffic})
    with pytest.raises(BadInput, match="scored on logged requests"):
        champion_log(Versions(**{name: getattr(versions, name) for name in versions.__slots__} | {"config": config}))
