"""What an experiment publishes: a page with its figure, tables and manifest, and the index over all pages."""
