"""Known and common ids: rows that are alike in baseline and traffic have scores of one distribution."""

from __future__ import annotations

import json

import numpy as np
import pytest

from monitoring.tasks.answered_ids import AnsweredIds


def zipf(rows: int, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return rng.zipf(1.3, (rows, 5)) % (1 << 50) + 1


@pytest.mark.parametrize("rows", [400, 4_000])
def test_clean_traffic_has_as_many_new_and_common_ids_as_the_baseline(rows: int) -> None:
    rng = np.random.default_rng(0)
    reference, live = zipf(rows, rng), zipf(20_000, rng)
    known = AnsweredIds.fit(reference)
    for scores in (known.new, known.is_common):
        then, now = scores(reference).mean(axis=1), scores(live).mean(axis=1)
        assert now.mean() == pytest.approx(then.mean(), abs=4.0 * then.std() / np.sqrt(rows))
    assert known.new(live).mean() > 0.01  # there is a tail that a list of the baseline's own ids would hide


def test_half_of_the_answered_ids_are_common() -> None:
    reference = zipf(4_000, np.random.default_rng(1))
    assert AnsweredIds.fit(reference).is_common(reference).mean() == pytest.approx(0.5, abs=0.1)


def test_places_without_an_id_are_neither_and_json_keeps_it() -> None:
    known = AnsweredIds.fit(zipf(100, np.random.default_rng(2)))
    none = np.zeros((3, 5), dtype=np.int64)
    assert not known.new(none).any()
    assert not known.is_common(none).any()
    assert AnsweredIds.of(json.loads(json.dumps(known.document()))) == known
    with pytest.raises(ValueError, match="buckets"):
        AnsweredIds.of(dict.fromkeys(("present", "common"), "eJwDAAAAAAE="))
