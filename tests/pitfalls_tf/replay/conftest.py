"""The fixtures of a model server in this process."""

from __future__ import annotations

from tests.serving.conftest import models, models_folder, open_website

__all__ = ["models", "models_folder", "open_website"]
