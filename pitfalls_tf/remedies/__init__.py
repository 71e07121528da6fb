"""Attempted fixes, one small file for each family. Importing this package loads no framework."""

from __future__ import annotations
