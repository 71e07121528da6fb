"""The gallery shows every picture that its script takes, small ones, each with a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.gallery.deployments import DEPLOYMENTS
from docs.gallery.make import IMAGES, LARGEST, PICTURES

FIGURE = re.compile(
    r"^:::\{figure\} images/(\S+)\.webp\n:alt: (.+)\n:target: .*/\1\.webp\n\n(.+?)\n:::$", re.MULTILINE | re.DOTALL
)


def test_each_picture_is_shown_once_with_a_sentence(pytestconfig: pytest.Config) -> None:
    page = (pytestconfig.rootpath / "docs" / "gallery" / "index.md").read_text("utf-8")
    shown = FIGURE.findall(page)
    assert len(shown) == 20
    assert sorted(name for name, _, _ in shown) == sorted(picture.name for picture in PICTURES)
    assert all(sentence.endswith((".", "*.")) for _, _, sentence in shown)


def test_pictures_are_small_and_no_other_file_is_beside_them() -> None:
    files = list(Path(IMAGES).iterdir())
    assert sorted(path.name for path in files) == sorted(f"{picture.name}.webp" for picture in PICTURES)
    assert max(path.stat().st_size for path in files) <= LARGEST


def test_each_deployment_is_in_a_picture_and_each_picture_of_a_deployment() -> None:
    names = {name for picture in PICTURES for name in re.findall(r"\{(.*?)\}|report:(\S+)", picture.page)}
    assert {name for pair in names for name in pair if name} == set(DEPLOYMENTS)
