from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from monitoring.actions.perform import perform
from monitoring.errors import BadInput
from monitoring.store import Store
from tests.dashboard_store import NOW, make_store
from tests.monitoring.config.configs import LEAST, load


def test_who_did_what_and_how_it_ended_is_in_the_log(tmp_path: Path) -> None:
    def section(name: str, code: str) -> str:
        command = json.dumps([sys.executable, "-S", "-c", code])
        return f'[[action]]\nname = "{name}"\nkind = "command"\ncommand = {command}\n'

    text = section("Tell", "import sys; print(sys.stdin.read())") + section("Fail", "raise SystemExit(4)")
    config = load(tmp_path, LEAST + text)
    with Store.open(make_store(tmp_path / "pitfalls.db")) as store:
        before = store.incidents.get(1, 1)
        done, outcome = perform(config, store, (1, 1), "Tell", by="ada", clock=lambda: NOW)
        assert done
        said = json.loads(outcome.removeprefix("done. It said: "))
        assert said == {
            "deployment": "flights",
            "model": "flights",
            "version": 1,
            "incident": 1,
            "level": "page",
            "state": before.state,
            "by": "ada",
        }
        done, outcome = perform(config, store, (1, 1), "Fail", by="bob", clock=lambda: NOW)
        assert not done
        with pytest.raises(BadInput, match=r"no such action\. Got Nothing; expected Tell, Fail"):
            perform(config, store, (1, 1), "Nothing", by="bob", clock=lambda: NOW)
        after = store.incidents.get(1, 1)
    log = [(one.by, one.kind, one.text) for one in after.actions[len(before.actions) :]]
    assert [(by, kind, text[:12]) for by, kind, text in log] == [
        ("ada", "run", "Tell: begun."),
        ("ada", "run", "Tell: done. "),
        ("bob", "run", "Fail: begun."),
        ("bob", "run", "Fail: failed"),
    ]
    assert "exit status 4" in log[-1][2]
    assert (after.state, after.owner, after.acknowledged_at) == (before.state, before.owner, before.acknowledged_at)
