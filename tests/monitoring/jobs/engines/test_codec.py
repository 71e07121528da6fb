"""Partials as bytes: back to the last bit, and no others are taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import CannotRun
from monitoring.jobs.engines import codec
from monitoring.jobs.engines.codec import decoded, encoded
from monitoring.jobs.engines.local import LocalEngine
from monitoring.jobs.engines.partial import Partial
from monitoring.judging.window.tally import Tally
from tests.monitoring.jobs.engines.engine_rows import Ready, ready
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
