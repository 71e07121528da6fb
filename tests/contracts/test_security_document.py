"""What docs/security.md promises names the tests that show it."""

from __future__ import annotations

import re
from pathlib import Path


def test_each_test_that_the_document_names_is_there(root: Path) -> None:
    named = set(re.findall(r"`([\w/]+/test_\w+\.py)`", (root / "docs" / "security.md").read_text("utf-8")))
    assert len(named) > 30
    assert {name for name in named if not (root / "tests" / name).is_file()} == set()
