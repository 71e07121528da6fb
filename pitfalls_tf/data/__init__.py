"""Vendored data files; see PROVENANCE.md for where each comes from and under which licence."""
