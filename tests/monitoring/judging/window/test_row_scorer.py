from __future__ import annotations

import numpy as np
import pytest

from monitoring.baseline.batch import in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile_builder import profile
from monitoring.judging.fit.baseline_sums import answer_sums, baseline_scorer, label_sums
from monitoring.records import ScoreSum, WatchKey
from monitoring.watches import estimates
from monitoring.watches.catalogue import Catalogue, labelled_rows
from monitoring.watches.family import AnsweredCounts
from monitoring.watches.joint import SAMPLE
from monitoring.watches.sampling import sample_indices
from monitoring.watches.scoring import fixed_point, fixed_point_sum, slice_masks
from tests.monitoring.judging.window.window_rows import WATCHED, aggregate, rows_of
from tests.monitoring.watches.family_sums import sums


@pytest.mark.parametrize("classes", [2, 3])
def test_calibrated_losses_counted_by_bins_are_the_sums_over_rows(classes: int) -> None:
    rows = rows_of(3000, 2, classes)
    watched, _ = WATCHED[classes]
    scorer, answered, _ = aggregate(list(in_batches(rows)), classes)
    assert watched.calibration is not None
    usable = rows.probabilities[np.isfinite(rows.probabilities).all(axis=1)]
    calibrated = watched.calibration.calibrated(usable)
    for metric, one in estimates.calibrated_confidence(usable, calibrated).items():
        found = scorer.calibrated_losses(answered.tally, metric)
        assert (found.rows, found.losses, found.variances) == (
            len(usable),
            fixed_point_sum(one.losses),
            fixed_point_sum(one.variances),
        )
    chosen = usable.argmax(axis=1)
    units = fixed_point(calibrated)
    by_answer = [[int(units[chosen == k, j].sum()) for j in range(classes)] for k in range(classes)]
    assert answered.tally.counts["confusion"].tolist() == by_answer


def plain_sums(watched: Catalogue, rows: Predictions, power: int) -> dict[WatchKey, ScoreSum]:
    """The sums of losses, on slices too, of outputs and of estimates, from the scores of every row."""
    usable = rows.take(np.flatnonzero(np.isfinite(rows.probabilities).all(axis=1)))
    known = rows.take(labelled_rows(rows))
    assert watched.calibration is not None
    expected = watched.calibration.expected_losses(usable.probabilities)
    answers = {f"{estimates.PREFIX}{metric}": loss.losses for metric, loss in expected.items()}
    outputs = watched.task.outputs(usable.probabilities)
    answers |= {watch.name: outputs[watch.name] for watch in watched.task.output_watches}
    masks = slice_masks(known, watched.slices)
    return sums(answers, {}, power=power) | sums(watched.loss_scores(known, is_live=True), masks, power=power)


@pytest.mark.parametrize("classes", [2, 3])
def test_tallies_of_batches_have_the_sums_that_the_watches_have_over_all_rows_at_once(classes: int) -> None:
    rows = rows_of(3000, 1, classes)
    watched, _ = WATCHED[classes]
    scorer, answered, labelled = aggregate(list(in_batches(rows)), classes)
    counted = AnsweredCounts(rows=answered.rows, inputs=answered.counts, tally=answered.tally)
    found_sums = scorer.answer_sums(counted) | scorer.label_sums(labelled.whole)
    answer_powers = answer_sums(baseline_scorer(watched), rows, profile(rows, watched.bins))
    once, squares = (of | la for of, la in zip(answer_powers, label_sums(baseline_scorer(watched), rows), strict=True))
    assert found_sums == once
    for power, found in ((1, found_sums), (2, squares)):
        expected = plain_sums(watched, rows, power)
        assert {key: found[key] for key in expected} == expected
    for key, total in found_sums.items():
        assert squares[key].rows == total.rows
        assert total.rows == 0 or total.mean**2 - 1e-9 <= squares[key].mean <= total.mean + 1e-9
    assert watched.coverage is not None
    assert scorer.group_counts(answered.tally) == watched.coverage.counts(rows)
    known = rows.take(labelled_rows(rows))
    assert scorer.group_counts(labelled.whole) == watched.coverage.counts(known)
    truth = watched.task.losses(known.probabilities, known.labels)
    assert scorer.realised(labelled.whole) == {metric: fixed_point_sum(losses) for metric, losses in truth.items()}
    usable = rows.take(np.flatnonzero(np.isfinite(rows.probabilities).all(axis=1)))
    below = estimates.thresholded_confidence(usable.probabilities, 0.7)
    thresholded = scorer.thresholded_errors(answered.tally)
    assert (thresholded.losses, thresholded.variances) == (
        fixed_point_sum(below.losses),
        fixed_point_sum(below.variances),
    )
    assert watched.calibration is not None
    matrix = estimates.confusion(usable.probabilities, watched.calibration.calibrated(usable.probabilities))
    assert np.allclose(scorer.confusion(answered.tally), matrix, rtol=0, atol=1e-9)
    for sample, of in ((answered.sample, rows), (answered.usable, usable), (labelled.usable, known)):
        assert set(sample.ids.to_pylist()) == set(of.take(sample_indices(of, SAMPLE)).ids.to_pylist())
