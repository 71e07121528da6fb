"""Notifies people of incidents: the messages, the outbox that sends each one, and the routes it sends along."""
