"""The widely used networks, one file per family. Importing this package loads no framework; its modules do."""

from __future__ import annotations
