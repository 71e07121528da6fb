"""Who may ask: tokens with scopes, and what is checked before a request is read."""
