"""Models and their versions: lists, folders, loading, warmup, and how one version takes over from another."""
