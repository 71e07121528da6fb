"""Every family of networks by name, and the shape of rows that it is built for here."""

from __future__ import annotations

from pitfalls_tf.architectures.catalogue import IMAGE_NETWORKS, TABLE_NETWORKS
from pitfalls_tf.rows.examples import Shape

TABLE = Shape(inputs=(6,), tokens=(1, 1, 1, 3), classes=3, domains=2)
IMAGE = Shape(inputs=(28, 28, 1), tokens=(), classes=10, domains=3)
FAMILIES = {**TABLE_NETWORKS, **IMAGE_NETWORKS}
SHAPES = {**dict.fromkeys(TABLE_NETWORKS, TABLE), **dict.fromkeys(IMAGE_NETWORKS, IMAGE)}
