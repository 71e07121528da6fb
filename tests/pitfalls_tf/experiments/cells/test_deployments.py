"""What a served cell serves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pitfalls_tf.experiments.cells.deployments import LetterDeployment
from pitfalls_tf.experiments.tasks import letter_stream, source_tasks
from pitfalls_tf.training.setup import recipe


@pytest.mark.slow
def test_the_model_of_grey_levels_answers_as_the_network_and_not_by_the_family() -> None:
    import tensorflow as tf

    from pitfalls_tf.fitting import ensemble

    task = source_tasks.load("letters", quick=True)
    deployment = LetterDeployment(stream=letter_stream.stream(quick=True))
    fits = ensemble.fit(replace(recipe("letters"), epochs=2), task.training, seeds=[1])
    model, traffic = deployment.model(fits, 1), deployment.traffic.slice(0, 50)
    images = np.array(traffic["image"].to_pylist(), dtype=np.float32)
    answers = [
        model.predict({"image": images, "family": tf.constant([[name]] * 50)}, verbose=0)["probabilities"]
        for name in ("Courier Prime", "a family without a name")
    ]
    assert np.array_equal(*answers)
    expected = fits.of_seed(1).predict(deployment.stream.deployed.inputs[:50])[0]
    assert np.allclose(answers[0], expected, atol=1e-5)
    assert deployment.last == deployment.traffic["event_time"][-1].as_py()


@pytest.mark.slow
def test_the_rows_decide_the_identity() -> None:
    one, same = (LetterDeployment(stream=letter_stream.stream(quick=True)) for _ in range(2))
    assert one.identity() == same.identity()
    assert one.identity()["letters"] == len(one.traffic)
