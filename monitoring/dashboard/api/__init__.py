"""The HTTP API of the dashboard, `/api/v1`: what the pages show as JSON, and actions on incidents.

`resources` are its documents, `operations` its calls, and `openapi` the description of both.
"""
