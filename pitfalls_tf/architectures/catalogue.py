"""The families of networks by name, with the settings that their papers recommend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pitfalls_tf.architectures.ft_transformer import FtTransformer
from pitfalls_tf.architectures.lenet import LeNet
from pitfalls_tf.architectures.mlp import Mlp
from pitfalls_tf.architectures.mobilenet import MobileNet
from pitfalls_tf.architectures.resnet8 import ResNet8
from pitfalls_tf.architectures.tabular_resnet import TabularResNet
from pitfalls_tf.architectures.wide_and_deep import WideAndDeep

TableNetwork = Mlp | TabularResNet | WideAndDeep | FtTransformer
ImageNetwork = LeNet | ResNet8 | MobileNet

TABLE_NETWORKS: Final[Mapping[str, TableNetwork]] = {
    "mlp": Mlp(),
    "tabular_resnet": TabularResNet(),
    "wide_and_deep": WideAndDeep(),
    "ft_transformer": FtTransformer(),
}
IMAGE_NETWORKS: Final[Mapping[str, ImageNetwork]] = {"lenet": LeNet(), "resnet8": ResNet8(), "mobilenet": MobileNet()}
