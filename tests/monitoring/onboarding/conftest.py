"""The small deployment, for the tests of onboarding; and every fit that they make can be kept in a file."""

from tests.small_deployment import bundle, days, deploy, deployed, every_fit_is_kept, send

__all__ = ["bundle", "days", "deploy", "deployed", "every_fit_is_kept", "send"]
