"""Letters: 240 typeface families, each a domain, ink as ones, and no invented time."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.sources import letters
from pitfalls_tf.sources.letters import Letters

FILE = "letters_240families_20px.npz"


@pytest.fixture(scope="module")
def every() -> Letters:
    return letters.load()


def test_the_file_is_the_one_whose_origin_is_documented() -> None:
    data = files("pitfalls_tf.data")
    assert hashlib.sha256((data / FILE).read_bytes()).hexdigest() in (data / "PROVENANCE.md").read_text("utf-8")


def test_every_family_has_each_letter_in_both_cases_equally_often(every: Letters) -> None:
    examples = every.examples
    assert len(examples.names) == 240
    counts = np.unique(np.char.add(np.char.add(examples.domains, "/"), every.styles), return_counts=True)[1]
    assert (counts % 52 == 0).all()
    for family in examples.names[::24]:
        assert len(set(np.bincount(examples.domain(family).targets, minlength=26).tolist())) == 1
    assert (np.bincount(examples.targets) == len(examples) // 26).all()


def test_ink_is_one_on_paper_of_zero_in_16_grey_levels(every: Letters) -> None:
    inputs = every.examples.inputs
    assert inputs.shape == (26_416, 20, 20, 1)
    assert len(np.unique(inputs)) == 16
    assert (inputs.min(), inputs.max()) == (0.0, 1.0)
    assert 0.1 < inputs.mean() < 0.5


def test_a_pixel_is_read_from_its_half_of_the_byte(every: Letters) -> None:
    with (files("pitfalls_tf.data") / FILE).open("rb") as file, np.load(file) as held:
        byte = held["pixels"][5, 3, 4]
    assert np.allclose(every.examples.inputs[5, 3, 8:10, 0] * 15, [byte // 16, byte % 16])


def test_every_family_has_one_kind(every: Letters) -> None:
    kinds = {kind: set(every.families(kind)) for kind, _ in letters.KINDS}
    assert sum(map(len, kinds.values())) == 240
    assert {"DejaVu Sans", "PT Sans"} <= kinds["sans"]
    assert "Noto Sans Mono" in kinds["monospaced"]
    with pytest.raises(BadInput, match="No family is of that kind"):
        every.families("script")  # type: ignore[arg-type]
