"""The dashboard's web application: routes, templates, access, and the server."""
