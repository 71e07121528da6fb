"""Ways to send a notification: e-mail, Slack, webhook, Alertmanager, PagerDuty, Apprise, a command, a heartbeat."""
