"""What is stable by `docs/project/stability.md` is there, under the names that the last release had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contracts.public_interface import KEPT, interface

if TYPE_CHECKING:
    from pathlib import Path


def flat(names: dict[str, dict[str, list[str]]]) -> set[tuple[str, str, str]]:
    """Each name with what it is of; what has no names, such as a verb without flags, too."""
    return {(part, of, name) for part, groups in names.items() for of, group in groups.items() for name in ("", *group)}


def test_no_stable_name_is_gone() -> None:
    gone = flat(json.loads(KEPT.read_text("utf-8"))) - flat(interface())
    assert not gone, "announce what goes as docs/project/stability.md says, two minor releases before"


def test_a_name_that_goes_is_found() -> None:
    now = interface()
    assert ("command line", "pitfalls doctor", "--release") in flat(now)
    now["command line"]["pitfalls doctor"].remove("--release")
    assert flat(interface()) - flat(now) == {("command line", "pitfalls doctor", "--release")}


def test_the_page_names_every_part(root: Path) -> None:
    page = (root / "docs/project/stability.md").read_text("utf-8").lower()
    assert not [part for part in interface() if part.lower() not in page]
