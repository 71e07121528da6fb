"""The environment of a run: what differs is named."""

from __future__ import annotations

import pytest

from monitoring.errors import CannotRun
from pitfalls_tf.training.environment import check_environment

HERE = {"python": "3.11.7", "libraries": {"keras": "3.15"}, "onednn": True}


def test_the_same_environment_passes_and_more_of_it_then_does_no_harm() -> None:
    check_environment(HERE, HERE)
    check_environment({**HERE, "host": "elsewhere"}, HERE)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ({**HERE, "onednn": False}, r"onednn True; expected onednn False"),
        ({**HERE, "libraries": {"keras": "3.14"}}, r"libraries .*3\.15.* expected libraries .*3\.14"),
        ({"python": "3.11.7"}, r"libraries .*; onednn True"),
    ],
)
def test_what_differs_is_named(before: dict[str, object], words: str) -> None:
    with pytest.raises(CannotRun, match=words):
        check_environment(before, HERE)
