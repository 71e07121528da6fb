"""Adaptation to unlabelled target domains and alignment of labelled ones, one file per method.

With an unlabelled target the methods adapt; between labelled source domains they regularise. Importing this package
loads no framework.
"""

from __future__ import annotations
