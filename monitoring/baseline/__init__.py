"""What the model and its traffic looked like when it was good."""

from monitoring.baseline.folder import Baseline, load_baseline, write_baseline
from monitoring.baseline.spec import BaselineSpec, FeatureSpec

__all__ = ["Baseline", "BaselineSpec", "FeatureSpec", "load_baseline", "write_baseline"]
