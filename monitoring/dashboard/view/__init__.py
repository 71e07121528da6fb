"""What every view of the dashboard is made of: tables, charts, words, requests, responses, and who may ask."""
