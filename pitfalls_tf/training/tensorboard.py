"""The epochs of every seed as logs of TensorBoard: one TensorBoard run per seed, named as its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import tensorflow as tf

from monitoring.errors import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pitfalls_tf.fitting.fits import Fits, Member

SCALARS: Final = ("loss", "gradient_norm", "validation_log_loss", "validation_brier", "validation_error")


def write(fits: Sequence[Fits], folder: Path) -> None:
    """Write the fits of one run into a folder; show them with ``tensorboard --logdir`` of the folder above.

    Curves are named after their quantity; with several folds or members, after the fold and the member too.
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
            expected="a folder that you can write",
            fix="Name another with --tensorboard.",
        ) from error
    with writer.as_default():
        for prefix, member in _named(fits):
            for epoch in member.epochs:
                for name in SCALARS:
                    value = getattr(epoch, name)
                    if value is not None:
                        tensor = tf.constant(value, tf.float32)
                        tf.summary.write(f"{prefix}{name}", tensor, step=epoch.number, metadata=_scalar())
    writer.close()


def _named(fits: Sequence[Fits]) -> Iterator[tuple[str, Member]]:
    for fold, fit in enumerate(fits):
        for member in fit.members:
            parts = ([f"fold-{fold}"] if len(fits) > 1 else []) + ([f"{member.seed}"] if len(fit) > 1 else [])
            yield "".join(f"{part}/" for part in parts), member


def _scalar() -> Any:
    """The metadata that makes TensorBoard draw a tensor as a curve; its own package would set it."""
    data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    return tf.compat.v1.SummaryMetadata(plugin_data=data, data_class=1)
