"""The reference names the tests of each part of TensorFlow Serving's contract, and they exist."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

TITLE = "## What of TensorFlow Serving's contract is tested, and where"


def test_every_named_test_exists(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs/reference/serving.md").read_text("utf-8")
    lines = page.partition(TITLE)[2].partition("\n## ")[0].splitlines()
    heads = {head for head, below in pairwise(lines) if below.startswith("|---")}
    rows = [line for line in lines if line.startswith("| ") and line not in heads and not line.startswith("| all ")]
    assert len(rows) > 30
    here = pytestconfig.rootpath / "tests/serving"
    for row in rows:
        places = re.findall(r"`([\w./]+(?:\.py|/))`", row.split("|")[2])
        assert places or "cases" in row, row
        assert [place for place in places if not (here / place).exists()] == [], row
