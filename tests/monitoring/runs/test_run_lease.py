"""A run whose windows take longer than its lease keeps it, whatever reads the rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import load_config
from monitoring.engines import gathering, task
from monitoring.engines.engine import work_of
from monitoring.errors import AnotherRun
from monitoring.runs import run
from monitoring.sources import table_window
from monitoring.store.store import Store
from tests.monitoring.engines.engine_runs import cut, hostile_rows
from tests.own_table import NOW, watch


@pytest.mark.parametrize("keep", [False, True], ids=["rows", "tasks whose sums are kept"])
def test_no_other_run_takes_over_while_a_window_is_read(
    keep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(tmp_path)
    live = tmp_path / "rows"
    live.mkdir()
    cut(2, files=3, group=211, shuffled=True)(hostile_rows(), live)
    config = load_config(watched.adopted.config)
    engine = config.engine.model_copy(update={"keep": keep})
    config = config.model_copy(update={"traffic": config.traffic.with_path(live), "engine": engine})
    now, refused = [NOW], list[bool]()
    monkeypatch.setattr(gathering, "work_of", partial(work_of, rows=1))  # a partial is of few batches
    monkeypatch.setattr(run, "LEASE_SECONDS", 1)
    with Store.open(config.store.url) as store:
        for room in (table_window, task):
            read = room.labelled_batches

            def slow(*arguments: Any, read: Any = read) -> Iterator[Any]:
                for batch in read(*arguments):
                    now[0] += timedelta(seconds=0.2)
                    (lease,) = store.leases.read()
                    with pytest.raises(AnotherRun):
                        store.leases.take(lease.deployment, "another", now[0], 1)
                    refused.append(True)
                    yield batch

            monkeypatch.setattr(room, "labelled_batches", slow)
        done = run.run_due_windows(config, store, clock=lambda: now[0])
    assert done.judged >= 24
    assert len(refused) > 10 * done.judged
