"""The epochs of every seed as TensorBoard reads them: a run of its own for each, named as its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from monitoring.errors import CannotRun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pitfalls_tf.fitting.fits import Member

SCALARS: Final = ("loss", "gradient_norm", "validation_log_loss", "validation_brier", "validation_error")


def write(members: Sequence[Member], folder: Path) -> None:
    """Write the members of one run into a folder; show them with ``tensorboard --logdir`` of the folder above.

    Raises:
        CannotRun: nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()
        writer = tf.summary.create_file_writer(str(folder))
    except (OSError, tf.errors.OpError) as error:
        raise CannotRun(
            "TensorBoard's logs cannot be written.",
            got=f"{folder}: {error}",
            expected="a folder of yours",
            fix="Name another with --tensorboard.",
        ) from error
    with writer.as_default():
        for member in members:
            prefix = "" if len(members) == 1 else f"{member.seed}/"
            for epoch in member.epochs:
                for name in SCALARS:
                    value = getattr(epoch, name)
                    if value is not None:
                        tensor = tf.constant(value, tf.float32)
                        tf.summary.write(f"{prefix}{name}", tensor, step=epoch.number, metadata=_scalar())
    writer.close()


def _scalar() -> Any:
    """What makes TensorBoard draw a tensor as a curve; its own package, which is not needed to write, would set it."""
    data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    return tf.compat.v1.SummaryMetadata(plugin_data=data, data_class=1)
