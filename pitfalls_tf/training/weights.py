"""A fitted seed as a file, and back: weights, state and epochs, without pickles."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.fitting.fits import Epoch, Member

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIT: Final = "fit.npz"


def digest(members: Sequence[Member]) -> str:
    """sha256 of all weights and states: equal where every bit is."""
    found = hashlib.sha256()
    for member in members:
        for array in (*member.weights, *member.state):
            found.update(f"{array.dtype}{array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def write(members: Sequence[Member], folder: Path) -> None:
    """Write the members of one run, a single one but where several predict together."""
    arrays: dict[str, Any] = {}
    for place, member in enumerate(members):
        said = {"seed": member.seed, "kept": member.kept, "epochs": [asdict(epoch) for epoch in member.epochs]}
        arrays[f"{place}/said"] = np.array(json.dumps(said))
        arrays |= {f"{place}/weights/{number:04d}": array for number, array in enumerate(member.weights)}
        arrays |= {f"{place}/state/{number:04d}": array for number, array in enumerate(member.state)}
    np.savez(folder / FIT, **arrays)


def read(folder: Path) -> tuple[Member, ...]:
    """The members of a run's folder.

    Raises:
        BadInput: there is no fit, or it is damaged.
    """
    try:
        with (folder / FIT).open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        members = []
        for place in range(sum(name.endswith("/said") for name in arrays)):
            said = json.loads(str(arrays[f"{place}/said"]))
            parts = {
                kind: tuple(arrays[name] for name in sorted(arrays) if name.startswith(f"{place}/{kind}/"))
                for kind in ("weights", "state")
            }
            epochs = tuple(Epoch(**epoch) for epoch in said["epochs"])
            members.append(Member(seed=said["seed"], kept=said["kept"], epochs=epochs, **parts))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise BadInput(
            "A run's weights cannot be read.",
            got=f"{folder / FIT}: {error}",
            expected="what training wrote",
            fix="Train it again with --fresh.",
        ) from error
    return tuple(members)
