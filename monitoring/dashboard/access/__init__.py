"""Who may ask the dashboard: hosts and origins, tokens and their roles, sessions of browsers, and wrong tokens."""
