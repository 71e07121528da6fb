"""From labelled domains to others, one small file for each method. Importing this package loads no framework.

Used against an unlabelled target they adapt; used between labelled sources they are regularisers.
"""

from __future__ import annotations
