"""One exported bundle, which tests of its parts share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from serving.models.runner import Runner
from tests.serving.export_model import ROWS, exported, reference_table, small_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    import keras

    from serving.export.export import Bundle


@pytest.fixture(scope="session")
def model() -> keras.Model:
    return small_model()


@pytest.fixture(scope="session")
def bundle(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return exported(model, tmp_path_factory.mktemp("models"), name="flights", reference=reference_table())


@pytest.fixture(scope="session")
def runner(bundle: Bundle) -> Iterator[Runner]:
    loaded = Runner(bundle.path)
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def expected(model: keras.Model) -> dict[str, Any]:
    """What Keras itself says, without anything of ours between."""
    import tensorflow as tf

    answers = model({name: tf.constant(column[:, None]) for name, column in ROWS.items()}, training=False)
    return {name: value.numpy() for name, value in answers.items()}
