from __future__ import annotations

from importlib.metadata import version

import pytest

from monitoring import distribution


def test_the_version_is_that_of_the_complete_distribution_where_both_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert distribution.installed_version() == version("pitfalls-tf")
    monkeypatch.setattr(distribution, "DISTRIBUTIONS", ("no-such-one", "numpy"))
    assert distribution.installed_version.__wrapped__() == version("numpy")
    monkeypatch.setattr(distribution, "DISTRIBUTIONS", ("no-such-one",))
    assert distribution.installed_version.__wrapped__() == "unknown"
