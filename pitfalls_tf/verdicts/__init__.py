"""Better, worse or inconclusive: paired comparison of setups over seeds and domains, and the release gate."""
