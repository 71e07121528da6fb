"""Digits: three domains of the same ten classes, ink as ones, and no invented time."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import numpy as np
import pytest

from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.sources import digits

FILE = "digits_3domains_28px.npz"


@pytest.fixture(scope="module")
def images() -> Examples:
    return digits.load()


def test_the_file_is_the_one_whose_origin_is_documented() -> None:
    data = files("pitfalls_tf.data")
    assert hashlib.sha256((data / FILE).read_bytes()).hexdigest() in (data / "PROVENANCE.md").read_text("utf-8")


def test_three_domains_of_ten_digits(images: Examples) -> None:
    assert {name: len(images.domain(name)) for name in digits.DOMAINS} == {"mnist": 5000, "uci": 1797, "font": 1380}
    assert images.classes == tuple("0123456789")
    for name in digits.DOMAINS:
        counts = np.bincount(images.domain(name).targets, minlength=10)
        assert counts.min() > 0.8 * counts.mean(), name


def test_ink_is_one_on_paper_of_zero_in_every_domain(images: Examples) -> None:
    assert images.inputs.dtype == np.float32
    assert images.inputs.shape[1:] == (28, 28, 1)
    for name in digits.DOMAINS:
        inputs = images.domain(name).inputs
        assert (inputs.min(), inputs.max()) == (0.0, 1.0)
        assert np.median(inputs[:, [0, -1], :, :]) == 0.0, "the border is paper"
        assert 0.05 < inputs.mean() < 0.4


def test_the_order_is_that_of_the_file_and_there_are_no_times(images: Examples) -> None:
    with (files("pitfalls_tf.data") / FILE).open("rb") as file, np.load(file) as held:
        np.testing.assert_array_equal(images.inputs[5000, :, :, 0] * 255, held["uci_X"][0])
        np.testing.assert_array_equal(images.domain("font").targets, held["font_y"])
    assert np.isnat(images.times).all()
