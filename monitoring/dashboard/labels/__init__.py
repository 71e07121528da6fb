"""Labels that come over the dashboard: by its API, and from the page on which a person labels the rows asked for."""
