"""From a composed setup, or from a run's manifest, to a folder of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf import runs as folders
from pitfalls_tf.composed.setup import read
from pitfalls_tf.composed.training import ComposedTrainer, train
from pitfalls_tf.training_environment import check_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pitfalls_tf.composed.place import Place
    from pitfalls_tf.composed.setup import ComposedSetup
    from pitfalls_tf.composed.training import Step, Trained
    from pitfalls_tf.fits import Member
    from pitfalls_tf.runs import Run


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
            from pitfalls_tf.composed import board  # noqa: PLC0415 - only when asked

            board.write(members, place.tensorboard / setup.name / run.folder.name)

    return finished
