"""A loss or a watch of one output of several has the output's name in its own."""

from __future__ import annotations

import pytest

from monitoring.tasks.output_names import named, split_output


@pytest.mark.parametrize("watch", ["error", "surprise_brier", "estimated_brier", "prediction:location", "output:late"])
def test_names_are_read_as_they_were_made(watch: str) -> None:
    assert split_output(named("kind", watch)) == ("kind", watch)
    assert split_output(watch) == ("", watch)
