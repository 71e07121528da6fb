"""One walk of the demo, for every test that looks at what it leaves behind."""

from __future__ import annotations

import pytest

from tests.end_to_end.walking import Walk, walk


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """The demo up to the end of April, its first server killed in the middle of the replay."""
    out = tmp_path_factory.mktemp("road") / "demo"
    return Walk(out=out, found=walk(out, kill=True))
