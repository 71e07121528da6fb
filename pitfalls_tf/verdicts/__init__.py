"""Better, worse or inconclusive: paired comparison over seeds and domains, and the release gate."""
