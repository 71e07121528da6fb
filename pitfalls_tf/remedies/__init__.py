"""Remedies: attempted fixes, one file per family. Importing this package loads no framework."""

from __future__ import annotations
