"""Sources of data: each loads rows of several domains in time order.

Importing this package loads no data and no framework.
"""

from __future__ import annotations
