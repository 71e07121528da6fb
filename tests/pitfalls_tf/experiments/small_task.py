"""A small task with a target for adaptation."""

from __future__ import annotations

from pitfalls_tf.experiments.tasks.task import Part, Task
from pitfalls_tf.rows.splits import random_split
from tests.pitfalls_tf.small_examples import rows


def small_task() -> Task:
    """Training rows, a deployed part named like a pair of domains, and shifted target rows."""
    training = rows(200, seed=0)
    split = random_split(200, share=0.2, seed=0)
    held = training.take(split.held_out)
    held = held.where(held.labelled)
    parts = (Part(split="deployed", domain="a to b, plain", examples=held),)
    return Task(source="small", training=training, validation=held, target=rows(120, seed=1, shift=0.5), parts=parts)
