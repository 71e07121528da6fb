"""Partials as bytes: back to the last bit, and no others are taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline import binning
from monitoring.engines import codec
from monitoring.engines.codec import decoded, encoded
from monitoring.engines.partial import Partial
from monitoring.engines.task import LocalEngine
from monitoring.errors import CannotRun
from monitoring.watches.tally import Tally
from tests.monitoring.engines.engine_rows import Ready, ready
from tests.own_table import watch


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watch(tmp_path_factory.mktemp("watched")), tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module")
def partial(deployed: Ready) -> Partial:
    return next(LocalEngine().gather(deployed.recipe, deployed.work(1000)))


def test_a_partial_comes_back_as_it_was(deployed: Ready, partial: Partial) -> None:
    data = encoded(partial, deployed.recipe)
    back = decoded(data, deployed.recipe)
    assert encoded(back, deployed.recipe) == data
    assert back.sums.answered.counts == partial.sums.answered.counts
    assert back.sums.answered.sample.ids.equals(partial.sums.answered.sample.ids)
    assert back.read == partial.read
    assert [part.file for part in back.counted] == [part.file for part in partial.counted]


def test_sums_beyond_64_bits_come_back(deployed: Ready, partial: Partial) -> None:
    large = Tally({"losses": np.array([[2**70, 1]], dtype=object)})
    labelled = replace(partial.sums.labelled, tallies={partial.start: large}, whole=large)
    changed = replace(partial, sums=replace(partial.sums, labelled=labelled))
    back = decoded(encoded(changed, deployed.recipe), deployed.recipe)
    assert back.sums.labelled.whole.counts["losses"].tolist() == [[2**70, 1]]


@pytest.mark.parametrize(
    ("key", "words"),
    [(b"version", "another version of pitfalls"), (b"edges", "other bins"), (b"recipe", "another baseline")],
)
def test_what_was_made_otherwise_is_refused(key: bytes, words: str, deployed: Ready, partial: Partial) -> None:
    table = pa.ipc.open_stream(encoded(partial, deployed.recipe)).read_all()
    data = codec._stream(table.replace_schema_metadata((table.schema.metadata or {}) | {key: b"0.0.1"}))
    with pytest.raises(CannotRun, match=words):
        decoded(data, deployed.recipe)


@pytest.mark.parametrize("cut", [0, 8, 300, -9])
def test_damaged_bytes_are_refused_with_words(cut: int, deployed: Ready, partial: Partial) -> None:
    data = encoded(partial, deployed.recipe)[: cut or None]
    with pytest.raises(CannotRun, match=r"partial|sent back"):
        decoded(data if cut else b"", deployed.recipe)


def test_partials_of_two_windows_do_not_add_up(deployed: Ready, partial: Partial) -> None:
    with pytest.raises(ValueError, match="two windows"):
        partial + replace(partial, start=partial.start + 1)


def _read_stream(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all()


#: A partial as the first release of the seam encoded it.
GOLDEN = Path(__file__).parent / "partial.arrow"


def test_the_layout_of_the_bytes_is_that_of_the_golden_file(deployed: Ready, partial: Partial) -> None:
    own = pa.ipc.open_stream(encoded(partial, deployed.recipe)).read_all()
    golden = pa.ipc.open_stream(GOLDEN.read_bytes()).read_all()
    assert golden.schema.remove_metadata() == own.schema.remove_metadata()
    assert set(golden.schema.metadata or {}) == set(own.schema.metadata or {})
    assert own["name"].equals(golden["name"])
    for ours, first in zip(own["data"].to_pylist(), golden["data"].to_pylist(), strict=True):  # compressed then
        is_document = first.startswith(b"{")
        assert ours == first if is_document else _read_stream(ours).equals(_read_stream(first))


def test_golden_bytes_are_decoded_to_the_same_partial(deployed: Ready, partial: Partial) -> None:
    own = pa.ipc.open_stream(encoded(partial, deployed.recipe)).read_all()
    golden = pa.ipc.open_stream(GOLDEN.read_bytes()).read_all()
    back = decoded(codec._stream(golden.replace_schema_metadata(own.schema.metadata)), deployed.recipe)
    assert encoded(back, deployed.recipe) == encoded(partial, deployed.recipe)


def test_without_the_c_module_counts_and_samples_are_the_same_and_moments_to_the_thirteenth_digit(
    deployed: Ready, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = deployed.work(1000)
    with_c = list(LocalEngine().gather(deployed.recipe, work))
    for name in ("compiled", "compiled_places", "compiled_sum"):
        monkeypatch.setattr(binning, name, None)
    without = list(LocalEngine().gather(deployed.recipe, work))
    assert len(with_c) == len(without) > 0
    for one, other in zip(with_c, without, strict=True):
        (first, *of_first), (second, *of_second) = (parts(encoded(each, deployed.recipe)) for each in (one, other))
        assert_nearly_equal(json.loads(first), json.loads(second))
        assert of_first == of_second
        assert one.sums.answered.counts == other.sums.answered.counts
        for name, counts in one.sums.labelled.whole.counts.items():
            assert (counts == other.sums.labelled.whole.counts[name]).all(), name


def parts(data: bytes) -> list[bytes]:
    """The parts of an encoded partial: its head, which is JSON, and its samples."""
    found: list[bytes] = pa.ipc.open_stream(data).read_all()["data"].to_pylist()
    return found


def assert_nearly_equal(one: object, other: object) -> None:
    """The same, but for floats to a relative 1e-13."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        for key, value in one.items():
            assert_nearly_equal(value, other[key])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for first, second in zip(one, other, strict=True):
            assert_nearly_equal(first, second)
    elif isinstance(one, float) and isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-13, nan_ok=True)
    else:
        assert one == other
