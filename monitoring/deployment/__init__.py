"""A deployment made ready to be judged: its baseline under a config, with its rules, metrics, events and team."""
