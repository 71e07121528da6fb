"""Whether a folder of a release is whole: checksums and provenance, without a network."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from pitfalls_tf.cli.doctor.check import Check

#: The files beside what is released: a line `DIGEST  NAME` a file, and an in-toto statement of what was built of what.
CHECKSUMS: Final = "SHA256SUMS"
PROVENANCE: Final = "provenance.intoto.json"
#: The kinds of statement and of predicate that are understood.
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
_AGAIN: Final = "Fetch the folder again; files of another release do not belong in it."


def release_checks(folder: Path) -> tuple[Check, ...]:
    """Hold the files of a folder against its checksums, and both against its provenance.

    A signature is not looked at: check it first, by the tool that made it. Cost: every file is read once.
    """
    names = (path for path in sorted(folder.iterdir()) if path.is_file()) if folder.is_dir() else ()
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in names
        if not path.name.startswith(f"{PROVENANCE}.")  # signatures beside the statement
    }
    listed, stated = _listed(folder / CHECKSUMS), _read(folder / PROVENANCE)
    digests.pop(CHECKSUMS, None)
    files = {name: digest for name, digest in digests.items() if name != PROVENANCE}
    return (
        _check("checksums", _differences(digests, listed), f"{len(digests)} files are those of {CHECKSUMS}"),
        _check("provenance", _differences(files, _subjects(stated)), f"built from commit {_commit(stated)}"),
    )


def _check(name: str, wrong: list[str], text: str) -> Check:
    if not wrong:
        return Check(group="release", name=name, state="ok", text=text)
    return Check(group="release", name=name, state="wrong", text="; ".join(wrong), fix=_AGAIN)


def _differences(found: dict[str, str], said: dict[str, str]) -> list[str]:
    """What is wrong with some files, in words; nothing where they are as it is said."""
    if not said:
        return ["nothing says which files belong to it"]
    different = [name for name, digest in found.items() if said.get(name, digest) != digest]
    return [
        *(f"{name} has other bytes" for name in different),
        *(f"{name} is missing" for name in sorted(said.keys() - found.keys())),
        *(f"{name} is not listed" for name in sorted(found.keys() - said.keys())),
    ]


def _listed(path: Path) -> dict[str, str]:
    """The digests of a file of checksums, by name; nothing where there is none."""
    text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.MULTILINE)}


def _read(path: Path) -> Any:
    """A statement; None where there is none that can be read."""
    try:
        document = json.loads(path.read_text("utf-8"))
        kinds = (document["_type"], document["predicateType"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return document if kinds == (STATEMENT, PREDICATE) else None


def _subjects(statement: Any) -> dict[str, str]:
    """The digests of the files that a statement is of, by name."""
    try:
        return {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
    except (KeyError, TypeError):
        return {}


def _commit(statement: Any) -> str:
    """The commit that a statement names."""
    try:
        sources = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
        return next(str(one["digest"]["gitCommit"]) for one in sources if "gitCommit" in one["digest"])
    except (KeyError, TypeError, StopIteration):
        return "(not said)"
