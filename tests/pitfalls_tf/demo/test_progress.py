"""Progress of the demo on stderr."""

from __future__ import annotations

import pytest

from pitfalls_tf.demo.progress import FRAMEWORKS, show_progress


def test_each_stage_has_a_line_and_its_frameworks_are_imported(capsys: pytest.CaptureFixture[str]) -> None:
    loaded: list[tuple[str, ...]] = []
    with show_progress(lambda *names: loaded.append(names)) as stages:
        stages.stage_started("train", "5 seeds", skipped=False)
        stages.stage_progressed(1, 5, "seed 0")
        stages.stage_started("export", "the median seed", skipped=True)
        stages.stage_started("report", "report page", skipped=False)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["train", "export", "report"]
    assert "5 seeds" in lines[0]
    assert "(already done)" in lines[1]
    assert loaded == [FRAMEWORKS["train"], FRAMEWORKS["report"]]
