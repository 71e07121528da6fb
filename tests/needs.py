"""What a test needs of the machine: without it the test is skipped, but where CI can install it, that is a failure."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """End a test whose machine lacks something.

    Args:
        what: What is missing, and where it comes from: "Chromium is not installed (apt-get install chromium)".

    Raises:
        Failed: `CI` is `true` in the environment: there `.ci/run` installs it.
        Skipped: Elsewhere.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
