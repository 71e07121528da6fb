"""From a baseline to the tests that windows are judged by."""
