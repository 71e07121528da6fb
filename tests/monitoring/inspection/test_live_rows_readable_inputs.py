from __future__ import annotations

from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.inspection.live_rows import image_files_of, images_of, readable, texts_of
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.descriptors.vocabulary import HashedVocabulary

TEXT = TextDescriptors(source="note", vocabulary=HashedVocabulary.fit([], parts=1))
IMAGE = ImageDescriptors(source="photo", shape=(8, 8, 1))


def test_texts_and_images_stand_in_the_place_of_what_describes_them() -> None:
    made = [FeatureSpec(name=name, kind=kind) for one in (TEXT, IMAGE) for name, kind in one.kinds.items()]
    age = FeatureSpec(name="age", kind="number")
    spec = BaselineSpec(classes=("a", "b"), features=(age, *made), described=(TEXT, IMAGE))
    found = readable(spec)
    assert found.features == (FeatureSpec(name="note", kind="category"), age)
    assert found.described == ()
    assert found.embedding is not None
    assert found.embedding.tensors == ("photo",)
    assert (texts_of(spec), images_of(spec)) == (("note",), ("photo",))


def test_inputs_that_are_read_as_they_are_stay() -> None:
    plain = BaselineSpec(classes=("a", "b"), features=(FeatureSpec(name="age", kind="number"),))
    assert readable(plain) == plain


def test_images_that_are_files_are_left_to_be_read_for_the_rows_that_are_shown() -> None:
    file = EncodedImageDescriptors(source="scan")
    made = tuple(FeatureSpec(name=name, kind=kind) for name, kind in file.kinds.items())
    spec = BaselineSpec(classes=("a", "b"), features=made, described=(file,))
    found = readable(spec)
    assert (found.features, found.described, found.embedding) == ((), (), None)
    assert (images_of(spec), image_files_of(spec)) == ((), ("scan",))
