from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.peer_servers import Server, stop


def test_a_server_has_all_of_its_processes_and_stops_with_them() -> None:
    script = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", script], start_new_session=True) as process:
        server = Server(port=0, pid=process.pid)
        while len(server.processes()) < 2:
            assert process.poll() is None
        assert server.megabytes() > 1
        assert server.cpu_seconds() >= 0
        stop(server, process)
    assert process.returncode is not None
    assert not [pid for pid in server.processes() if Path(f"/proc/{pid}").exists()]
