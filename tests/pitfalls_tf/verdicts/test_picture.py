"""The figure of a verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.verdicts.picture import check_picture, draw_verdict
from pitfalls_tf.verdicts.scores import PairedScores, PairedSetup
from pitfalls_tf.verdicts.verdict import Verdict, judge

if TYPE_CHECKING:
    from pathlib import Path


def verdict(gains: list[float]) -> Verdict:
    """A verdict on one gain per domain, almost equal over five seeds."""
    values = np.array(gains)[:, None] + np.linspace(0, 1e-4, 5)
    base = np.full_like(values, 0.5)
    return judge(
        PairedScores(
            metric="auc",
            larger_is_better=True,
            domains=tuple(f"domain {index}" for index in range(len(gains))),
            seeds=tuple(range(5)),
            a=PairedSetup(setup="new", origin="a.csv", values=base + values, fingerprint="a"),
            b=PairedSetup(setup="old", origin="b.csv", values=base, fingerprint="b"),
            left_out=(),
        )
    )


def labels(path: Path) -> list[str]:
    """Comments of an SVG, in which matplotlib names the text that it draws as paths."""
    return [text.strip() for text in re.findall(r"<!--(.*?)-->", path.read_text("utf-8"), re.DOTALL)]


def test_every_domain_and_both_summaries_have_a_line(tmp_path: Path) -> None:
    draw_verdict(verdict([0.01, -0.02, 0.03]), tmp_path / "verdict.svg")
    drawn = labels(tmp_path / "verdict.svg")
    for name in ("domain 0", "domain 1", "domain 2", "these domains", "domains like these"):
        assert name in drawn


def test_a_single_domain_has_one_line(tmp_path: Path) -> None:
    draw_verdict(verdict([0.01]), tmp_path / "verdict.svg")
    drawn = labels(tmp_path / "verdict.svg")
    assert "domain 0" in drawn
    assert "domains like these" not in drawn


@pytest.mark.parametrize("name", ["verdict.txt", "verdict", "verdict.jpeg"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match=r"\.pdf, \.png, \.svg"):
        check_picture(tmp_path / name)
    check_picture(tmp_path / "VERDICT.SVG")


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="picture cannot be written"):
        draw_verdict(verdict([0.01]), tmp_path / "none" / "verdict.png")
