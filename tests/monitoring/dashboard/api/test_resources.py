"""The documents of the HTTP API alone."""

from __future__ import annotations

from monitoring.dashboard.api.resources import error_document
from monitoring.errors import BadInput


def test_an_error_keeps_its_parts() -> None:
    error = error_document(BadInput("No.", got="a", expected="b", fix="Do."))
    assert error.plain() == {"what": "No.", "got": "a", "expected": "b", "fix": "Do."}
