"""From a composed setup, or from a run's manifest, to a folder of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training import runs as folders
from pitfalls_tf.training.environment import check_environment
from pitfalls_tf.training.setup import read
from pitfalls_tf.training.trainer import ComposedTrainer, train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.fitting.fits import Member
    from pitfalls_tf.training.output import Place
    from pitfalls_tf.training.runs import Run
    from pitfalls_tf.training.setup import ComposedSetup
    from pitfalls_tf.training.trainer import Step, Trained


def train_composed(setup: ComposedSetup, *, seeds: int, place: Place, told: Callable[[Step], None]) -> Trained:
    """Train seeds 0 to `seeds` - 1 into OUT/SETUP. Finished runs are kept unless the place is to be fresh.

    Raises:
        BadInput: the setup's names, rows or split will not do, or the folder holds runs made otherwise.
        CannotRun: the folder cannot be written or is being written, or every run diverged.

    Cost: by network and rows; of flights and the plain perceptron, about 3 s a seed on two cores after the first.
    """
    if seeds < 1:
        raise BadInput("No seeds, no runs.", got=f"{seeds} seeds", expected="at least 1", fix="Pass --seeds 5.")
    folder = place.out / setup.name
    # The setup's names and rows are checked before a folder is made or anything in it is deleted.
    trainer = ComposedTrainer(setup)
    with folders.exclusive(folder):
        if place.fresh:
            folders.clear(folder)
        return train(trainer, range(seeds), folder, told=told, finished=_logged(place, setup))


def train_composed_again(
    manifest: Mapping[str, Any], where: Path, *, place: Place, told: Callable[[Step], None]
) -> Trained:
    """Train the run of a manifest again into OUT/SETUP: the same weights, bit for bit.

    Raises:
        BadInput: its setup or rows are not today's.
        CannotRun: libraries, threads or kernels are others than the manifest's; or the weights came out otherwise all
            the same, and the run that was made is kept to look at.
    """
    setup, seed = read(manifest["setup"]), int(manifest["seed"])
    folder = place.out / setup.name
    trainer = ComposedTrainer(setup)
    trainer.check_same(manifest, where)
    now = folders.as_written(trainer.manifest(seed))["environment"]
    check_environment(manifest["environment"], now)
    with folders.exclusive(folder):
        if place.fresh:
            folders.clear(folder)
        trained = train(trainer, (seed,), folder, told=told, finished=_logged(place, setup))
    made = folders.read_manifest(folders.folder_of(folder, seed))
    if made.get("weights") != manifest.get("weights"):
        raise CannotRun(
            "The weights are not the same bits as before.",
            got=f"{made.get('weights')} in {folders.folder_of(folder, seed)}",
            expected=f"{manifest.get('weights')} of {where}",
            fix="Compare the code and the machine with those that trained it first.",
        )
    return trained


def _logged(place: Place, setup: ComposedSetup) -> Callable[[Run, Sequence[Member]], None]:
    def finished(run: Run, members: Sequence[Member]) -> None:
        if place.tensorboard is not None:
            from pitfalls_tf.training import tensorboard  # noqa: PLC0415 - only when asked

            tensorboard.write(members, place.tensorboard / setup.name / run.folder.name)

    return finished
