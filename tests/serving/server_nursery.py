"""Starts real servers in a fraction of a second each: TensorFlow is imported once, here, and every server is a fork.

A line on stdin, ``{"argv": [...], "out": FIFO, "err": FILE}``, makes a server; its process id comes back on stdout.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import tensorflow as tf

import serving.server.server
from pitfalls_tf.cli import main


def become_server(order: dict[str, str | list[str]]) -> None:
    """Run the command line in this process."""
    for descriptor, name in ((0, os.devnull), (1, str(order["out"])), (2, str(order["err"]))):
        opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = ["pitfalls", *order["argv"]]
    main()


if __name__ == "__main__":
    assert tf.__version__
    assert serving.server.server.__name__
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become_server(json.loads(line))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
