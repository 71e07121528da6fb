from __future__ import annotations

import pytest

from monitoring.dashboard.overview.endpoints import question_of
from monitoring.dashboard.stores.candidates import Question
from tests.monitoring.dashboard.view.test_requests import request


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("", Question()),
        ("q=over&state=page&page=3", Question(text="over", state="page", page=3)),
        ("state=none&page=-1&group=none", Question()),
        ("group=team&team=credit&tag=eu&wall", Question(group="team", team="credit", tag="eu", wall=True)),
        ("page=99999999999999", Question()),
    ],
)
def test_what_makes_no_sense_is_left_out(query: str, question: Question) -> None:
    assert question_of(request(query)) == question
