"""What each page of the dashboard shows, as records of text and numbers."""
