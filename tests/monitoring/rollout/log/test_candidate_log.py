"""The candidate's answers: kept as they come, one process at a time, each row once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from monitoring.rollout.log.candidate_log import CandidateLog
from monitoring.rollout.log.paired_log import champion_log
from monitoring.rollout.log.versions import Versions, find_versions
from tests.monitoring.rollout.two_bundles import NOW, FormulaScorer, logged, two_bundles

FIRST, LAST = datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return find_versions(two_bundles(tmp_path))


@pytest.fixture
def rows(versions: Versions) -> pa.Table:
    return champion_log(versions).log.read(model="flights")


def test_answers_have_the_ids_of_their_requests_and_are_there_at_once(versions: Versions, rows: pa.Table) -> None:
    scored = FormulaScorer(logged).score(rows)
    with CandidateLog(versions.config.traffic.label_log / "answers", versions, clock=lambda: NOW) as log:
        assert not log.ids(FIRST, LAST).contains(rows["prediction_id"].combine_chunks()).any()
        log.append(rows, scored)
        assert log.ids(FIRST, LAST).contains(rows["prediction_id"].combine_chunks()).all()
        log.append(rows.slice(0, 0), scored)
        answers = log.folder
    with CandidateLog(answers, versions, clock=lambda: NOW) as again:
        assert again.ids(FIRST, LAST).contains(rows["prediction_id"].combine_chunks()).all()
        some = again.ids(rows["event_time"][100].as_py(), rows["event_time"][200].as_py())
        assert some.contains(rows["prediction_id"].combine_chunks()).sum() == 100


def test_one_process_writes_at_a_time(versions: Versions, tmp_path: Path) -> None:
    with (
        CandidateLog(tmp_path / "answers", versions, clock=lambda: NOW),
        pytest.raises(CannotRun, match="Another process works on this rollout"),
    ):
        CandidateLog(tmp_path / "answers", versions, clock=lambda: NOW)
    CandidateLog(tmp_path / "answers", versions, clock=lambda: NOW).close()


def test_a_folder_that_cannot_be_written_is_told(versions: Versions, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(CannotRun, match="cannot be kept"):
        CandidateLog(tmp_path / "file/answers", versions, clock=lambda: NOW)


def test_rows_that_were_written_twice_are_read_once(versions: Versions, rows: pa.Table, tmp_path: Path) -> None:
    scored = FormulaScorer(logged).score(rows)
    with CandidateLog(tmp_path / "answers", versions, clock=lambda: NOW) as log:
        log.append(rows, scored)
        log.append(rows, scored)
        found = log._log.read(model="flights", version=2)
    assert found.num_rows == rows.num_rows
    np.testing.assert_array_equal(np.array(found["output:probabilities"].to_pylist()), scored.outputs["probabilities"])
