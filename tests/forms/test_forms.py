"""The same rows in any ordinary form have the same records, to the last bit."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tests.forms.forms import CELLS, FILES
from tests.forms.streams import TASKS, Form, records, stream
from tests.monitoring.engines.engine_runs import Records

FORMS = CELLS | FILES


@pytest.fixture(name="plainly", scope="session")
def plain_records(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Records]:
    """The records of each stream as it is, made once."""
    return {}


@pytest.mark.parametrize("harm", [True, False])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_records_of_plain_rows(name: str, task: str, harm: bool, tmp_path: Path) -> None:
    rows = stream(task, harm=harm)
    one, other = records(rows, Form(), tmp_path / "plain"), records(rows, FORMS[name], tmp_path / "form")
    assert differences(one, other) == []


def differences(some: Records, others: Records) -> list[str]:
    """What two records do not have in common, but for remarks on how files were read."""
    counts = [(len(one.windows), len(one.incidents)) for one in (some, others)]
    found = [] if counts[0] == counts[1] else [f"{counts[0]} windows and incidents / {counts[1]}"]
    for one, other in zip((*some.windows, *some.incidents), (*others.windows, *others.incidents), strict=False):
        names = [field.name for field in fields(one)]
        found += [
            f"{name}: {getattr(one, name)!r} / {getattr(other, name)!r}"
            for name in names
            if repr(_without_remarks(getattr(one, name))) != repr(_without_remarks(getattr(other, name)))
        ]
    return found


def _without_remarks(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    return tuple(each for each in value if getattr(each, "kind", "") != "file format")
