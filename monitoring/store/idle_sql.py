"""The SQL of `idle_statements`, for runs that do not load SQLAlchemy; written by `make sql`."""

READ_IDLE = """
SELECT deployment.id, deployment.checked_at, deployment.next_due_at, deployment.inputs,
deployment.traffic_state, (SELECT max("window"."end") AS max_1 FROM "window" WHERE "window".deployment =
deployment.id) AS anon_1, (SELECT count(*) AS count_1 FROM incident WHERE incident.deployment = deployment.id
AND incident.level = 'page' AND incident.state != 'closed') AS anon_2, (SELECT count(*) AS count_2 FROM
incident WHERE incident.deployment = deployment.id AND incident.level = 'page' AND incident.state IN ('open',
'worse') AND CASE WHEN (incident.snoozed_until IS NULL) THEN NOT incident.snoozed_until_worse ELSE
incident.snoozed_until <= :now END) AS anon_3, (SELECT count(*) AS count_3 FROM notification WHERE
notification.deployment = deployment.id AND notification.completed_at IS NULL AND notification.given_up_at IS
NULL AND (notification.next_attempt_at IS NULL OR notification.next_attempt_at <= :now) AND
(notification.incident IS NULL OR notification.state IN ('acknowledged', 'closed') OR (EXISTS (SELECT
incident.number FROM incident WHERE incident.deployment = notification.deployment AND incident.number =
notification.incident AND CASE WHEN (incident.snoozed_until IS NULL) THEN NOT incident.snoozed_until_worse
ELSE incident.snoozed_until <= :now END)))) AS anon_4, (SELECT count(*) AS count_4 FROM notification WHERE
notification.deployment = deployment.id AND notification.given_up_at IS NOT NULL) AS anon_5, (SELECT count(*)
AS count_5 FROM notification WHERE notification.deployment = deployment.id AND notification.completed_at IS
NULL AND (notification.given_up_at IS NOT NULL OR notification.attempts > 0)) AS anon_6, (SELECT count(*) AS
count_6 FROM rollout WHERE rollout.name = deployment.name AND rollout.state IN ('running', 'decided')) AS
anon_7, (SELECT "window".label_cursor FROM "window" WHERE "window".deployment = deployment.id ORDER BY
"window"."end" DESC LIMIT 1) AS anon_8 FROM deployment WHERE deployment.name = :name AND deployment.retired_at
IS NULL ORDER BY deployment.id
"""

GOING_ON = """
SELECT rollout.id FROM rollout WHERE rollout.name = :name AND rollout.state IN ('running', 'decided') ORDER BY
rollout.id
"""

CHECKED = """
UPDATE deployment SET checked_at=:now WHERE deployment.id = :number
"""

SUCCEEDED = """
UPDATE monitor SET last_run_at=:now, succeeded_at=:now, failures=0, error='' WHERE monitor.name = :name
"""
