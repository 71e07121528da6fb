"""Status and metadata as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.serving.conftest import Website


def test_metadata_prints_what_is_empty_too(website: Website) -> None:
    document = website.send("GET", "/v1/models/dense4/metadata").json
    assert document["model_spec"] == {"name": "dense4", "signature_name": "", "version": "1"}
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "serve", "__saved_model_init_op"}
    assert signatures["serving_default"]["defaults"] == {}
    assert signatures["serving_default"]["inputs"]["feat"] == {
        "name": "serving_default_feat:0",
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "4", "name": ""}], "unknown_rank": False},
    }
