"""Inputs as a person reads them: texts and images themselves, in the place of what describes them."""

from __future__ import annotations

from dataclasses import replace

from monitoring.baseline.spec import BaselineSpec, Embedding, FeatureSpec
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.image import ImageDescriptors

#: Columns that a person looks at, rather than at the inputs that describe them.
_LOOKED_AT = ("text", "image")


def readable(spec: BaselineSpec) -> BaselineSpec:
    """The specification by which live rows are read with their texts and images.

    Returns:
        Texts are categories, images are the tensors of an embedding without numbers, and those in files are left out;
        other inputs stay as they are.
    """
    looked_at = [descriptor for descriptor in spec.described if descriptor.kind in _LOOKED_AT]
    instead = {name for descriptor in looked_at for name in descriptor.kinds}
    images = images_of(spec)
    return replace(
        spec,
        features=(
            *(
                FeatureSpec(name=descriptor.source, kind="category")
                for descriptor in looked_at
                if descriptor.kind == "text"
            ),
            *(feature for feature in spec.features if feature.name not in instead),
        ),
        described=tuple(descriptor for descriptor in spec.described if descriptor.kind not in _LOOKED_AT),
        embedding=Embedding(tensors=images, columns=()) if images else None,
    )


def images_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of images as the numbers that a model takes."""
    return tuple(descriptor.source for descriptor in spec.described if isinstance(descriptor, ImageDescriptors))


def image_files_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of images as files."""
    return tuple(descriptor.source for descriptor in spec.described if isinstance(descriptor, EncodedImageDescriptors))


def texts_of(spec: BaselineSpec) -> tuple[str, ...]:
    """The columns of texts."""
    return tuple(descriptor.source for descriptor in spec.described if descriptor.kind == "text")
