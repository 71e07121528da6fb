"""The process of a `serving.Server`: settings come as one line of JSON, and the first line out says where it listens.

It stops by SIGTERM, and when its parent is gone, which closes its standard input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from monitoring.errors import BadInput, PitfallsError
from serving.access.tokens import Token
from serving.capture.traffic_log import TrafficSettings
from serving.models.model_list import ModelsFolder
from serving.server.server import serve
from serving.server.settings import AccessSettings, GrpcListener, ModelRepositorySettings, ServerInfo, ServeSettings
from serving.transport.sockets import Address


def main() -> int:
    """Serve until the signal or the end of the standard input."""
    request: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    settings = ServeSettings(
        repository=ModelRepositorySettings(source=ModelsFolder(folder=Path(request["models"])), waits_for_models=False),
        address=Address(port=request["port"]),
        grpc=None if request["grpc_port"] is None else GrpcListener(address=Address(port=request["grpc_port"])),
        traffic=None if request["traffic"] is None else TrafficSettings(folder=Path(request["traffic"])),
        access=AccessSettings(tokens=(Token.of(request["token"], name="client"),)),
    )
    try:
        serve(settings, on_ready=_ready, report=lambda line: _say(line, sys.stderr))
    except PitfallsError as error:
        kind = "BadInput" if isinstance(error, BadInput) else "CannotRun"
        message = {"message": error.what, "got": error.got, "expected": error.expected, "fix": error.fix}
        _say(json.dumps({"error": {"kind": kind, **message}}), sys.stdout)
        return error.exit_code
    return 0


def _ready(info: ServerInfo) -> None:
    models = {name: list(versions) for name, versions in info.models.items()}
    _say(json.dumps({"url": info.url, "grpc": info.grpc, "models": models, "pid": info.pid}), sys.stdout)


def _say(line: str, stream: TextIO) -> None:
    stream.write(f"{line}\n")
    stream.flush()


def _stop_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
