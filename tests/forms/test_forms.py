"""The same rows in any ordinary form have the same records, to the last bit; or the run says what is other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, reduce
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput
from tests.forms.forms import BY_COLUMN, FILES, FORMS, IDS, WITH_ANY_CELLS, Cells, composed
from tests.forms.streams import PLAIN, TASKS, Form, differences, records, stream
from tests.monitoring.engines.engine_runs import Records


@lru_cache
def plain_records(task: str, *, harm: bool, dates: bool) -> Records:
    """The records of a stream in plain rows."""
    with TemporaryDirectory() as folder:
        return records(stream(task, harm=harm, dates=dates), PLAIN, Path(folder) / "plain")


def check(form: Form, task: str, *, harm: bool) -> None:
    plain = plain_records(task, harm=harm, dates=form.dates)
    assert bool(plain.incidents) == harm
    rows = stream(task, harm=harm, dates=form.dates)
    with TemporaryDirectory() as folder:
        if task in form.refused:
            with pytest.raises(BadInput, match=r"^The column y does not hold numbers\."):
                records(rows, form, Path(folder) / "form")
            return
        found = records(rows, form, Path(folder) / "form")
    assert bool(differences(plain, form, found)) == bool(form.other)


@st.composite
def combined(draw: st.DrawFn) -> Form:
    """Ids and files in any form, and where the files can hold them, each column in any."""
    ids, file = IDS[draw(st.sampled_from(sorted(IDS)))], draw(st.sampled_from(sorted(FILES)))
    changes: list[Cells] = []
    if file in WITH_ANY_CELLS:
        of_columns = ([PLAIN, *(FORMS[name] for name in names)] for names in BY_COLUMN.values())
        changes = [draw(st.sampled_from(forms)).cells for forms in of_columns]
    return replace(FILES[file], ids=ids.ids, cells=reduce(composed, changes, ids.cells))


@given(form=combined(), task=st.sampled_from(TASKS), harm=st.booleans())
@settings(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
def test_combined_forms_have_the_records_of_plain_rows(form: Form, task: str, harm: bool) -> None:
    check(form, task, harm=harm)


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.other or form.dates])
def test_dates_and_what_is_other(name: str) -> None:
    check(FORMS[name], "binary", harm=True)


@pytest.mark.slow
@pytest.mark.parametrize("harm", [True, False])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FORMS)
def test_a_form_has_the_records_of_plain_rows(name: str, task: str, harm: bool) -> None:
    check(FORMS[name], task, harm=harm)
