"""The paper's figures and claims, one experiment a file."""
