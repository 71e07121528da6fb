"""Two flags that contradict each other are one error."""

from __future__ import annotations

from pitfalls_tf.cli.serve.contradictions import contradiction


def test_both_flags_and_the_reason_are_named() -> None:
    error = contradiction("--gpus=0", "--workers=2", "each GPU has one process")
    assert error.what == "--gpus=0 and --workers=2 contradict each other: each GPU has one process."
    assert (error.got, error.fix) == ("--gpus=0 and --workers=2", "Leave one out.")
