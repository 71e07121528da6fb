"""The rollouts of a deployment: versions compared."""
