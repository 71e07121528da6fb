"""Rules about data as the config has them, and as other tools do."""
