"""The configs and stores that the dashboard shows, and the deployments in them."""
