"""Replays of a traffic log: scored once, resumed where they were ended, with the windows of the training cut out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.log.versions import Versions, bundle_digest, find_versions
from monitoring.rollout.replay.log_replay import LogReplay, ReplayProgress, ReplayRequest, replay_log
from monitoring.rollout.scoring import CandidateAnswers
from tests.monitoring.rollout.two_bundles import NOW, FormulaScorer, logged, truth, two_bundles

REQUEST = ReplayRequest(rules=DecisionRules())


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return find_versions(two_bundles(tmp_path))


def replayed(versions: Versions, scorer: FormulaScorer, request: ReplayRequest = REQUEST) -> LogReplay:
    return replay_log(versions, request, scorer, clock=lambda: NOW)


def test_a_version_that_is_always_right_is_better(versions: Versions) -> None:
    found = replayed(versions, FormulaScorer(truth(versions.config)))
    result = found.result.result
    assert result.interval.mean < -0.5  # fourteen days of forty rows are few for a verdict
    assert result.candidate == 0.0
    assert result.champion is not None
    assert result.champion > 0.5
    assert found.scored == result.rows == result.labelled == 14 * 40  # two of sixteen days were trained on
    assert "2 windows before 2013-04-03" in found.result.notes[0]
    assert [window.start.day for window in result.windows] == list(range(3, 17))


def test_the_same_version_again_differs_in_no_row(versions: Versions) -> None:
    result = replayed(versions, FormulaScorer(logged)).result.result
    assert result.disagreements == 0
    assert result.interval.mean == 0.0


def test_what_was_scored_is_not_scored_again(versions: Versions) -> None:
    first = replayed(versions, FormulaScorer(truth(versions.config)))
    scorer = FormulaScorer(truth(versions.config))
    again = replayed(versions, scorer)
    assert again.scored == scorer.rows == 0
    assert again.result.evidence == first.result.evidence


class Ended(Exception):
    """A replay was ended in the middle."""


def test_one_that_was_ended_goes_on_where_it_was(versions: Versions) -> None:
    def stop(now: ReplayProgress) -> None:
        if now.done == 5:
            raise Ended

    scorer = FormulaScorer(truth(versions.config))
    with pytest.raises(Ended):
        replay_log(versions, REQUEST, scorer, clock=lambda: NOW, progress=stop)
    assert scorer.rows == 5 * 40
    rest = FormulaScorer(truth(versions.config))
    found = replayed(versions, rest)
    assert rest.rows == 9 * 40
    assert found.result.result.interval.mean < -0.5
    assert found.result.result.rows == 14 * 40


def test_a_share_is_scored_by_hash(versions: Versions) -> None:
    scorer = FormulaScorer(truth(versions.config))
    found = replayed(versions, scorer, replace(REQUEST, share=0.5))
    assert 200 < scorer.rows < 360
    assert found.result.result.rows == scorer.rows
    assert not found.result.result.obstacles


def test_rows_that_the_candidate_refuses_are_its_errors(versions: Versions) -> None:
    def sometimes(rows: pa.Table) -> np.ndarray:
        late = truth(versions.config)(rows)
        late[::4] = np.nan
        return late

    found = replayed(versions, FormulaScorer(sometimes))
    assert found.result.result.failed == 14 * 10
    assert found.failures == ("It refused a row.",)
    errors = next(guard for guard in found.result.result.guards if guard.name == "errors")
    assert errors.interval.verdict == "worse"


def test_times_and_labels_bound_what_is_replayed(versions: Versions) -> None:
    until = replace(REQUEST, since=datetime(2013, 4, 6, tzinfo=UTC), until=datetime(2013, 4, 9, tzinfo=UTC))
    found = replayed(versions, FormulaScorer(logged), until)
    assert [window.start.day for window in found.result.result.windows] == [6, 7, 8]
    young = replay_log(versions, REQUEST, FormulaScorer(logged), clock=lambda: datetime(2013, 4, 15, tzinfo=UTC))
    assert "windows are not mature" in young.result.notes[-1]
    assert len(young.result.evidence) == 5


def test_a_candidate_of_unknown_training_is_asked_for(versions: Versions) -> None:
    with pytest.raises(BadInput, match=r"not known which rows the candidate was trained on.*--trained-until"):
        replayed(replace(versions, trained_until=None), FormulaScorer(logged))


def test_a_champion_without_rows_is_told(versions: Versions) -> None:
    with pytest.raises(BadInput, match="no rows of the champion"):
        replayed(replace(versions, champion=9), FormulaScorer(logged))


def test_another_model_under_the_same_number_has_answers_of_its_own(versions: Versions) -> None:
    replayed(versions, FormulaScorer(logged))
    before = bundle_digest(versions.bundle)
    model = versions.bundle / "saved_model.pb"
    model.write_bytes(model.read_bytes() + b"x")
    assert bundle_digest(versions.bundle) != before
    assert replayed(versions, FormulaScorer(logged)).scored == 14 * 40


def test_scored_rows_say_what_they_are() -> None:
    assert CandidateAnswers(outputs={}, answered=np.zeros(0, np.bool_)).run_us is None
