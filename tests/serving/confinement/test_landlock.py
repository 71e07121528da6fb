"""What a process gives up by Landlock is gone, for its later threads and children too; what it keeps works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serving.confinement.landlock import LEAST_ABI, NETWORK_ABI, abi_version

pytestmark = pytest.mark.skipif(abi_version() < LEAST_ABI, reason="this kernel has no Landlock")

SCRIPT = """
import os, socket, sys, threading
from pathlib import Path
from serving.confinement.confinement import Needs, Support, confine_files

folder = Path(sys.argv[1])
server = socket.create_server(("127.0.0.1", 0))
other = socket.create_server(("127.0.0.1", 0))
kept = open(folder / "secret")
port = other.getsockname()[1]
confine_files(
    Needs(read=(folder / "read",), write=(folder / "write",), ports=(port,)), Support.of_this_machine()
)


def tried(name, attempt):
    try:
        attempt()
        print(name, "done")
    except OSError as error:
        print(name, os.strerror(error.errno))


def all_of(who):
    tried(f"{who} read", lambda: (folder / "read" / "a").read_text())
    tried(f"{who} change", lambda: (folder / "read" / "a").write_text("b"))
    tried(f"{who} write", lambda: (folder / "write" / "b").write_text("b"))
    tried(f"{who} rename", lambda: (folder / "write" / "b").replace(folder / "write" / "inner" / "b"))
    tried(f"{who} secret", lambda: (folder / "secret").read_text())
    tried(f"{who} link", lambda: (folder / "write" / "link").read_text())
    tried(f"{who} environment", lambda: Path("/proc/self/environ").read_bytes())
    tried(f"{who} password", lambda: Path("/etc/passwd").read_bytes())
    tried(f"{who} make", lambda: (folder / "made").touch())
    tried(f"{who} connect", lambda: socket.create_connection(server.getsockname(), timeout=5).close())
    tried(f"{who} port", lambda: socket.create_connection(other.getsockname(), timeout=5).close())
    tried(f"{who} listen", lambda: socket.create_server(("127.0.0.1", 0)))


all_of("main")
thread = threading.Thread(target=all_of, args=("thread",))
thread.start()
thread.join()
pid = os.fork()
if not pid:
    all_of("child")
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
print("opened before", kept.read())
"""
DONE, DENIED = "done", "Permission denied"


def test_files_and_connections(tmp_path: Path) -> None:
    for name in ("read", "write", "write/inner"):
        (tmp_path / name).mkdir()
    for name in ("read/a", "secret"):
        (tmp_path / name).write_text("planted")
    (tmp_path / "write" / "link").symlink_to(tmp_path / "secret")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    network = DENIED if abi_version() >= NETWORK_ABI else DONE
    wanted = {
        "read": DONE, "change": DENIED, "write": DONE, "rename": DONE, "secret": DENIED, "link": DENIED,
        "environment": DENIED, "password": DENIED, "make": DENIED, "connect": network, "port": DONE, "listen": network,
    }  # fmt: skip
    lines = [f"{who} {name} {result}" for who in ("main", "thread", "child") for name, result in wanted.items()]
    assert sorted(done.stdout.splitlines()) == sorted([*lines, "opened before planted"])
