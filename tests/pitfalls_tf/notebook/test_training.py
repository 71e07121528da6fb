"""The doors of training in Python, end to end on a small training."""

from __future__ import annotations

from pathlib import Path

import pytest

import pitfalls_tf
from monitoring.errors import BadInput
from pitfalls_tf.training.setup import Setup


def test_the_package_shows_its_doors_and_loads_no_framework() -> None:
    assert {"compare", "export", "train"} <= set(dir(pitfalls_tf))
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = pitfalls_tf.fit


def test_an_unknown_source_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Did you mean flights\?"):
        pitfalls_tf.train("fligths", out=tmp_path)
    with pytest.raises(BadInput, match=r"needs its columns.*--time"):
        pitfalls_tf.train("table", table="rows.csv", label="y", out=tmp_path)
    with pytest.raises(BadInput, match="rows of rodents are built in"):
        pitfalls_tf.train("rodents", label="y", out=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_seeds_are_trained_compared_and_exported(small: Setup, tmp_path: Path) -> None:
    stages = []
    result = pitfalls_tf.train("flights", seeds=3, out=tmp_path / "runs", progress=lambda now: stages.append(now.stage))
    assert result.ensemble.folder == tmp_path / "runs" / small.name
    assert len(result.ensemble.runs) == 3
    assert stages
    verdict = pitfalls_tf.compare(result, str(result.ensemble.folder))
    assert (verdict.outcome, verdict.gain, verdict.seeds) == ("inconclusive", 0.0, (0, 1, 2))
    bundle = pitfalls_tf.export(result, "late", models=tmp_path / "models")
    assert (bundle.version, bundle.has_baseline) == (1, True)
    assert pitfalls_tf.export(result.ensemble.folder, "late", models=tmp_path / "models").version == 2
    with pytest.raises(BadInput, match="own reference table"):
        pitfalls_tf.export(result, "late", models=tmp_path / "models", reference="rows.parquet")
