"""One server process: settings, start, HTTP application, labels endpoint, shutdown."""
