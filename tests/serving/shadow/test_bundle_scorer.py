"""A bundle on rows of a traffic log: the server's own answers again, whatever the batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.log.log import TrafficLog
from serving.shadow.bundle_scorer import BATCH, BundleScorer

OLD = Path(__file__).parents[2] / "compatibility/version_0_1_0"
BUNDLE = OLD / "models/flights/1"


@pytest.fixture(scope="module")
def logged() -> pa.Table:
    """Requests that a server answered with the bundle, with its answers."""
    rows = TrafficLog(OLD / "traffic").read(model="flights")
    return rows.slice(0, 300)


@pytest.fixture(scope="module")
def scorer() -> BundleScorer:
    return BundleScorer(BUNDLE)


def test_the_same_version_answers_as_it_did(logged: pa.Table, scorer: BundleScorer) -> None:
    scorer.check(logged)
    scored = scorer.score(logged)
    assert scored.answered.all()
    assert not scored.reasons
    before = np.array(logged["output:probabilities"].to_pylist())
    np.testing.assert_allclose(scored.outputs["probabilities"], before, atol=1e-6)


def test_an_answer_does_not_depend_on_the_other_rows(logged: pa.Table, scorer: BundleScorer) -> None:
    whole = scorer.score(logged).outputs["probabilities"]
    order = np.random.default_rng(0).permutation(logged.num_rows)
    shuffled = scorer.score(logged.take(pa.array(order))).outputs["probabilities"]
    np.testing.assert_array_equal(shuffled, whole[order])
    np.testing.assert_array_equal(scorer.score(logged.slice(7, 1)).outputs["probabilities"], whole[7:8])
    assert logged.num_rows > BATCH


def test_rows_alone_have_their_time(logged: pa.Table, scorer: BundleScorer) -> None:
    alone = scorer.score(logged.slice(0, 5), alone=True)
    assert alone.run_us is not None
    assert (alone.run_us > 0).all()
    np.testing.assert_allclose(
        alone.outputs["probabilities"], scorer.score(logged.slice(0, 5)).outputs["probabilities"], atol=1e-6
    )


def test_no_rows_have_no_answers(logged: pa.Table, scorer: BundleScorer) -> None:
    assert scorer.score(logged.slice(0, 0)).answered.size == 0


def test_a_row_that_does_not_fit_is_the_only_one_without_an_answer(logged: pa.Table, scorer: BundleScorer) -> None:
    temps = logged["input:temp"].to_pylist()
    temps[3] = [1.0, 2.0]
    index = logged.schema.get_field_index("input:temp")
    bad = logged.set_column(index, "input:temp", pa.array(temps, logged["input:temp"].type))
    scored = scorer.score(bad)
    assert np.flatnonzero(~scored.answered).tolist() == [3]
    assert np.isnan(scored.outputs["probabilities"][3]).all()
    assert np.isfinite(np.delete(scored.outputs["probabilities"], 3, axis=0)).all()
    assert scored.reasons


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop_columns(["input:temp"]), r"takes other inputs.*expected temp, which is not among them"),
        (
            lambda rows: rows.set_column(
                rows.schema.get_field_index("input:temp"), "input:temp", pa.array([[b"warm"]] * rows.num_rows)
            ),
            r"temp, which is list<item: binary>, and the model takes float32",
        ),
        (
            lambda rows: rows.set_column(
                rows.schema.get_field_index("signature"), "signature", pa.array(["other"] * rows.num_rows)
            ),
            r"does not have the signature.*expected other",
        ),
    ],
    ids=["an input less", "another type", "another signature"],
)
def test_requests_that_the_candidate_cannot_take_are_refused(
    logged: pa.Table, scorer: BundleScorer, change: object, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        scorer.check(change(logged))  # type: ignore[operator]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="The candidate cannot be loaded"):
        BundleScorer(tmp_path)
