"""Models that hostile requests are sent to: of 1, 16 and 200 inputs, of texts, and with large answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FLOATS, TEXTS, SIXTEEN, MANY, WIDE = "half_plus_two", "strs", "sixteen", "many", "wide"
NAMES = {SIXTEEN: [f"a{number:02}" for number in range(16)], MANY: [f"column_{number:03}" for number in range(200)]}


def export_hostile_models(root: Path) -> None:
    """Export all models under ``root``. Cost: 10 s.

    ``half_plus_two`` takes numbers ``x`` of any shape, ``strs`` texts ``image_bytes``; ``sixteen`` and ``many`` take a
    number of each of their inputs for each row, and answer the sum; ``wide`` answers a matrix ``x`` as ``y``, and
    ten times as wide as ``z``.
    """
    import tensorflow as tf  # noqa: PLC0415 - seconds, and only this benchmark needs it

    def number(name: str, shape: list[None] | None) -> Any:
        return tf.TensorSpec(shape, tf.float32, name)

    def export(name: str, function: Any, signature: list[Any]) -> None:
        module = tf.Module()
        module.answer = tf.function(function, input_signature=signature)
        tf.saved_model.save(module, str(root / name / "1"), signatures={"serving_default": module.answer})

    export(FLOATS, lambda x: {"y": x / 2 + 2}, [number("x", None)])
    export(TEXTS, lambda texts: {"out": tf.identity(texts)}, [tf.TensorSpec([None], tf.string, "image_bytes")])
    for name in (SIXTEEN, MANY):
        export(name, lambda *columns: {"y": tf.add_n(columns)}, [number(column, [None]) for column in NAMES[name]])
    export_wide(root)


def export_wide(root: Path) -> None:
    """Export ``wide`` alone."""
    import tensorflow as tf  # noqa: PLC0415 - as above

    module = tf.Module()
    signature = [tf.TensorSpec([None, None], tf.float32, "x")]
    module.answer = tf.function(lambda x: {"y": tf.identity(x), "z": tf.tile(x, [1, 10])}, input_signature=signature)
    tf.saved_model.save(module, str(root / WIDE / "1"), signatures={"serving_default": module.answer})
