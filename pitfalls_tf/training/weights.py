"""The fits of a run as a file: weights, state and epochs, without pickles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from monitoring.errors import BadInput
from pitfalls_tf.fitting.fits import Epoch, Member

FIT: Final = "fit.npz"
RECORD: Final = "said"  # the array of a member's seed and epochs, as JSON


def digest(members: Sequence[Member]) -> str:
    """sha256 of all weights and states in hexadecimal: equal if every bit is."""
    sha = hashlib.sha256()
    for member in members:
        for array in (*member.weights, *member.state):
            sha.update(f"{array.dtype}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


def write(members: Sequence[Member], folder: Path) -> None:
    """Write the members of one run: one per fold, or several where they predict together."""
    arrays: dict[str, Any] = {}
    for place, member in enumerate(members):
        record = {
            "seed": member.seed,
            "kept": member.weights_epoch,
            "epochs": [asdict(epoch) for epoch in member.epochs],
        }
        arrays[f"{place}/{RECORD}"] = np.array(json.dumps(record))
        arrays |= {f"{place}/weights/{number:04d}": array for number, array in enumerate(member.weights)}
        arrays |= {f"{place}/state/{number:04d}": array for number, array in enumerate(member.state)}
    np.savez(folder / FIT, **arrays)


def read(folder: Path) -> tuple[Member, ...]:
    """Read the members of a run.

    Raises:
        BadInput: there is no fit, or it is damaged.
    """
    try:
        with (folder / FIT).open("rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        members = []
        for place in range(sum(name.endswith(f"/{RECORD}") for name in arrays)):
            record = json.loads(str(arrays[f"{place}/{RECORD}"]))
            parts = {
                kind: tuple(arrays[name] for name in sorted(arrays) if name.startswith(f"{place}/{kind}/"))
                for kind in ("weights", "state")
            }
            epochs = tuple(Epoch(**epoch) for epoch in record["epochs"])
            members.append(Member(seed=record["seed"], weights_epoch=record["kept"], epochs=epochs, **parts))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise BadInput(
            "A run's weights cannot be read.",
            got=f"{folder / FIT}: {error}",
            expected="what training wrote",
            fix="Train it again with --fresh.",
        ) from error
    return tuple(members)
