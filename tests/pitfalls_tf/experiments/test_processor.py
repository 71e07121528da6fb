"""The processor that made results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pitfalls_tf.experiments.processor import Processor, current_processor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("processor\t: 0\nmodel name\t: Example CPU @ 2.0 GHz\nmodel name\t: second\n", "Example CPU @ 2.0 GHz"),
        ("model name\t:\nmodel name\t: After an empty one\n", "After an empty one"),
    ],
)
def test_the_model_is_the_first_name_in_cpuinfo(tmp_path: Path, text: str, model: str) -> None:
    (tmp_path / "cpuinfo").write_text(text, "utf-8")
    found = current_processor(tmp_path / "cpuinfo")
    assert found.model == model
    assert found.threads >= 1


def test_a_processor_is_printed_with_its_threads() -> None:
    assert str(Processor("A", 1)) == "A, 1 thread"
    assert str(Processor("A", 8)) == "A, 8 threads"
