"""Which outputs have a label each is what the baseline of a version says, and nothing where it says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitoring.baseline.folder import DESCRIPTION
from serving.models.labelled_outputs import BASELINE_FILE, labelled_outputs


@pytest.mark.parametrize(
    ("document", "outputs"),
    [
        ({"several": [{"output": "sev"}, {"output": "vehage"}]}, ("sev", "vehage")),
        ({}, ()),
        ([], ()),
        ({"several": None}, ()),
        ({"several": [{}]}, ()),
    ],
)
def test_outputs_are_those_of_the_baseline(tmp_path: Path, document: object, outputs: tuple[str, ...]) -> None:
    file = tmp_path / BASELINE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(document), "utf-8")
    assert labelled_outputs(tmp_path) == outputs


def test_a_version_without_a_baseline_says_nothing(tmp_path: Path) -> None:
    assert labelled_outputs(tmp_path) == ()
    assert BASELINE_FILE.endswith(f"baseline/{DESCRIPTION}")
