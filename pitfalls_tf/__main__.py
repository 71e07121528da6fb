"""Run the command line as ``python -m pitfalls_tf``."""

from __future__ import annotations

from pitfalls_tf.cli import main

if __name__ == "__main__":
    main()
