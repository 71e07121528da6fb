"""TensorBoard's logs: every epoch of every fit, under a name of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf

from monitoring.errors import CannotRun
from pitfalls_tf.fitting.fits import Epoch
from pitfalls_tf.training import tensorboard


class Fitted(list[Any]):
    """Members of one fit, as `Fits` has them."""

    @property
    def members(self) -> list[Any]:
        return self


def member(seed: int, *losses: float) -> Any:
    epochs = tuple(Epoch(number=number, loss=loss, gradient_norm=1.0) for number, loss in enumerate(losses, start=1))
    return SimpleNamespace(seed=seed, epochs=epochs)


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    (log,) = folder.iterdir()
    return {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(log))
        for value in event.summary.value
    }


def test_a_single_fit_is_written_under_the_names_of_its_quantities(tmp_path: Path) -> None:
    tensorboard.write([Fitted([member(0, 0.5, 0.25)])], tmp_path / "seed-0000")  # type: ignore[list-item] # as Fits
    found = scalars(tmp_path / "seed-0000")
    assert found == {("loss", 1): 0.5, ("loss", 2): 0.25, ("gradient_norm", 1): 1.0, ("gradient_norm", 2): 1.0}


def test_folds_and_members_have_names_of_their_own_and_old_logs_are_replaced(tmp_path: Path) -> None:
    one = [Fitted([member(3, 0.5)]), Fitted([member(3, 0.25)])]
    tensorboard.write(one, tmp_path)  # type: ignore[arg-type] # as Fits
    assert {name for name, _ in scalars(tmp_path)} >= {"fold-0/loss", "fold-1/loss"}
    together = [Fitted([member(8, 0.5), member(9, 0.5)])]
    tensorboard.write(together, tmp_path)  # type: ignore[arg-type] # as Fits
    assert {name for name, _ in scalars(tmp_path)} == {"8/loss", "9/loss", "8/gradient_norm", "9/gradient_norm"}


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match=r"logs cannot be written.*--tensorboard"):
        tensorboard.write([], tmp_path / "file")
