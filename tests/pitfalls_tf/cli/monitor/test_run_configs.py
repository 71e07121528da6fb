"""``pitfalls monitor run --configs``: many configs in several processes, one message for what they share."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from monitoring.config import load_config
from monitoring.store.store import Store
from pitfalls_tf.cli import pitfalls
from pitfalls_tf.cli.monitor.run_configs import ConfigRun, run_configs
from tests.own_table import own_rows, watch
from tests.pitfalls_tf.cli.monitor.killed_config import killed_or_done
from tests.small_deployment import LIVE, Days


def test_a_config_whose_process_is_killed_is_one_failure_and_all_others_are_run() -> None:
    paths = [Path(name) for name in ("a", "killer", "b")]
    results: list[ConfigRun] = []
    run_configs(paths, 2, ended=results.append, run=killed_or_done)
    assert sorted(one.path.name for one in results) == sorted(one.name for one in paths)
    assert [one.path.name for one in results if one.error] == ["killer"]
    assert [one.exit_code for one in results if one.error] == [3]


@pytest.fixture
def bodies() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a receiver, and what it got."""
    got: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/pages", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_shared_cause_is_one_message_and_a_wrong_config_one_line(
    tmp_path: Path, bodies: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, got = bodies
    watched = watch(tmp_path / "watched", slices=())
    home = watched.adopted.config.parent
    first = watched.adopted.config.read_text("utf-8")
    for name in ("first", "second"):
        live = tmp_path / f"{name}.parquet"
        rows = own_rows(Days(days=4, start=LIVE, seed=len(name)))
        pq.write_table(rows.drop_columns(["temp"]), live)  # the feed of both has lost a column
        text = first.replace("[traffic]\n", f'[traffic]\npath = "{live}"\nlabel_log = "{name}"\n', 1)
        text += f'\n[[notify]]\nwebhook = "{url}"\n'
        head = f'[deployment]\nname = "{name}"\n\n[fleet]\npage = "1 per 90 days"\n\n'
        (home / f"{name}.toml").write_text(head + text, "utf-8")
    watched.adopted.config.unlink()
    (home / "wrong.toml").write_text("[model]\nname = 3\n", "utf-8")
    monkeypatch.setenv("TZ", "UTC")
    done = CliRunner().invoke(pitfalls, ["monitor", "run", "--configs", str(home), "--workers", "2", "--json"])
    assert done.exit_code == 1, done.output
    document = json.loads(done.stdout)
    runs = {Path(one["config"]).stem: one for one in document["configs"]}
    assert document["not_run"] == 0
    assert runs["wrong"]["error"]
    for name in ("first", "second"):
        assert runs[name]["error"] is None
        assert runs[name]["windows"] >= 4
    with Store.open(load_config(home / "first.toml").store.url) as store:
        events = [
            one for record in store.deployments.all() if record.number for one in store.outbox.read(record.number)
        ]
    new = [one for one in events if one.state == "open"]
    assert len({one.event for one in new}) >= 2
    assert all(one.outcome != "pending" for one in events), events
    told = [json.loads(body) for body in got]
    assert told
