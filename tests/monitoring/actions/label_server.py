"""A server that takes labels from its model config file, as TensorFlow Serving does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

LABEL = re.compile(r'version_labels \{ key: "(\w+)" value: (\d+) \}')


def models_config(versions: Sequence[int], stable: int, policy: str | None = None) -> str:
    """A model config file with versions side by side, and the label stable."""
    named = "".join(f"versions: {version} " for version in versions)
    policy = f"specific {{ {named}}}" if policy is None else policy
    return (
        f'model_config_list {{ config {{ name: "flights" base_path: "/m" model_version_policy {{ {policy} }} '
        f'version_labels {{ key: "stable" value: {stable} }} }} }}'
    )


@contextmanager
def label_server(file: Path, versions: Sequence[int]) -> Iterator[int]:
    """A server of a model config file; some versions are loaded.

    Yields:
        Its port.
    """

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.search(r"/labels/(\w+)/metadata$", self.path)
            if self.path.endswith("/flights/metadata"):
                newest = max(int(number) for number in re.findall(r"versions: (\d+)", file.read_text()))
                document: object = {"model_spec": {"version": str(newest)}}
            elif found:
                labels = dict(LABEL.findall(file.read_text()))
                document = {"model_spec": {"version": labels[found[1]]}}
            else:
                states = [{"version": str(number), "state": "AVAILABLE"} for number in versions]
                document = {"model_version_status": states}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
