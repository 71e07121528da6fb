"""The scripts here need the clients' own environment."""

from __future__ import annotations

collect_ignore_glob = ["*_user.py"]
