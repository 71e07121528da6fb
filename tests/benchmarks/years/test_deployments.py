"""Tables over years: inputs know nothing of the label or of later rows."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.years.deployments import DEPLOYMENTS, YearsDeployment, football


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: str(each.name))
def test_rows_are_in_order_and_each_part_has_some(deployment: YearsDeployment) -> None:
    rows = deployment.rows()
    assert rows["time"].is_monotonic_increasing
    assert (rows["label_time"] > rows["time"]).all()
    assert not rows["label"].isna().any()
    for begin, end in (
        ("1900", deployment.reference),
        (deployment.reference, deployment.live),
        (deployment.live, "2100"),
    ):
        part = rows[(rows["time"] >= pd.Timestamp(begin)) & (rows["time"] < pd.Timestamp(end))]
        assert len(part) > 1_000, deployment.name
        assert part["label"].nunique() >= 2, deployment.name


def test_a_match_is_rated_by_earlier_matches_alone() -> None:
    rows = football()
    first = rows[rows["time"] == rows["time"].min()]
    assert (first["rating_ahead"] == 0.0).all()
    assert (first["home_form"] == 0.5).all()
    champions = rows[rows["time"].dt.year == 1975]["home_rating"]
    assert champions.max() - champions.min() > 100.0
