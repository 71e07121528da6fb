"""Rollouts by a traffic log: the champion's logged requests, the candidate's answers to them, and their labels."""
