BEGIN TRANSACTION;
CREATE TABLE added_labels (
	id INTEGER NOT NULL, 
	deployment INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	labels BIGINT NOT NULL, 
	CONSTRAINT pk_added_labels PRIMARY KEY (id), 
	CONSTRAINT fk_added_labels_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE backfill (
	id INTEGER NOT NULL, 
	deployment INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	until DATETIME NOT NULL, 
	at DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	only VARCHAR NOT NULL, 
	revised INTEGER NOT NULL, 
	ended_at DATETIME, 
	CONSTRAINT pk_backfill PRIMARY KEY (id), 
	CONSTRAINT fk_backfill_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE checkpoint (
	deployment INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_checkpoint PRIMARY KEY (deployment, start), 
	CONSTRAINT fk_checkpoint_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE deployment (
	id INTEGER NOT NULL, 
	model VARCHAR NOT NULL, 
	version BIGINT NOT NULL, 
	settings_digest VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	used_at DATETIME NOT NULL, 
	timezone VARCHAR NOT NULL, 
	page_budget VARCHAR NOT NULL, 
	page_threshold VARCHAR NOT NULL, 
	notice_budget VARCHAR NOT NULL, 
	notice_threshold VARCHAR NOT NULL, 
	sensitivity TEXT NOT NULL, 
	baseline TEXT NOT NULL, name VARCHAR DEFAULT '' NOT NULL, traffic VARCHAR DEFAULT '' NOT NULL, follows INTEGER, quiet_until DATETIME, checked_at DATETIME, next_due_at DATETIME, inputs VARCHAR DEFAULT '' NOT NULL, traffic_state VARCHAR DEFAULT '' NOT NULL, basis VARCHAR DEFAULT '' NOT NULL, since DATETIME, metrics TEXT DEFAULT '[]' NOT NULL, measured TEXT DEFAULT '[]' NOT NULL, 
	CONSTRAINT pk_deployment PRIMARY KEY (id), 
	CONSTRAINT uq_deployment_model_version_settings_digest UNIQUE (model, version, settings_digest)
);
INSERT INTO "deployment" VALUES(1,'flights-eu',1,'digest-1','2013-04-01 00:00:00.000000','2013-04-01 00:00:00.000000','UTC','1 per 365 windows','0x1p+8','1 per 30 windows','0x1p+4','[]','[]','flights-eu','',NULL,NULL,NULL,NULL,'','','',NULL,'[]','[]');
CREATE TABLE drill (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	version BIGINT NOT NULL, 
	basis VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	release VARCHAR NOT NULL, 
	seed BIGINT NOT NULL, 
	source VARCHAR NOT NULL, 
	source_windows INTEGER NOT NULL, 
	source_start DATETIME NOT NULL, 
	source_end DATETIME NOT NULL, 
	lead INTEGER NOT NULL, 
	windows INTEGER NOT NULL, 
	replicates INTEGER NOT NULL, 
	false_pages INTEGER NOT NULL, 
	false_notices INTEGER NOT NULL, 
	unfit TEXT NOT NULL, 
	CONSTRAINT pk_drill PRIMARY KEY (id)
);
CREATE TABLE drill_result (
	drill INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	fault VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	what TEXT NOT NULL, 
	touches VARCHAR NOT NULL, 
	level VARCHAR NOT NULL, 
	promised BOOLEAN NOT NULL, 
	replicates INTEGER NOT NULL, 
	told INTEGER NOT NULL, 
	median_delay INTEGER, 
	cause TEXT NOT NULL, 
	runs TEXT NOT NULL, 
	CONSTRAINT pk_drill_result PRIMARY KEY (drill, position), 
	CONSTRAINT fk_drill_result_drill FOREIGN KEY(drill) REFERENCES drill (id)
);
CREATE TABLE incident (
	deployment INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	level VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	opened_at DATETIME NOT NULL, 
	window_start DATETIME NOT NULL, 
	window_end DATETIME NOT NULL, 
	watch VARCHAR NOT NULL, 
	slice VARCHAR NOT NULL, 
	cause TEXT NOT NULL, 
	message TEXT NOT NULL, 
	recovery TEXT NOT NULL, 
	acknowledged_at DATETIME, 
	closed_at DATETIME, 
	detail TEXT, history TEXT DEFAULT '[]' NOT NULL, previous INTEGER, owner VARCHAR DEFAULT '' NOT NULL, snoozed_until DATETIME, snoozed_until_worse BOOLEAN DEFAULT 0 NOT NULL, closed_from VARCHAR DEFAULT '' NOT NULL, 
	CONSTRAINT pk_incident PRIMARY KEY (deployment, number), 
	CONSTRAINT fk_incident_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
INSERT INTO "incident" VALUES(1,1,'page','open','2013-04-01 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,NULL,'[]',NULL,'',NULL,0,'');
INSERT INTO "incident" VALUES(1,2,'page','open','2013-04-02 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,NULL,'[]',NULL,'',NULL,0,'');
INSERT INTO "incident" VALUES(1,3,'page','open','2013-04-03 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,NULL,'[]',NULL,'',NULL,0,'');
INSERT INTO "incident" VALUES(1,4,'page','open','2013-04-04 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,NULL,'[]',NULL,'',NULL,0,'');
CREATE TABLE incident_action (
	deployment INTEGER NOT NULL, 
	incident INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	until DATETIME, 
	until_worse BOOLEAN NOT NULL, 
	CONSTRAINT pk_incident_action PRIMARY KEY (deployment, incident, position), 
	CONSTRAINT fk_incident_action_deployment FOREIGN KEY(deployment, incident) REFERENCES incident (deployment, number)
);
CREATE TABLE lease (
	deployment INTEGER NOT NULL, 
	owner VARCHAR NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (deployment), 
	CONSTRAINT fk_lease_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE level_state (
	deployment INTEGER NOT NULL, 
	level VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_level_state PRIMARY KEY (deployment, level), 
	CONSTRAINT fk_level_state_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE notification (
	id INTEGER NOT NULL, 
	deployment INTEGER NOT NULL, 
	event VARCHAR NOT NULL, 
	incident INTEGER, 
	state VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	reached TEXT NOT NULL, 
	abandoned TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	completed_at DATETIME, 
	given_up_at DATETIME, 
	digest INTEGER, 
	CONSTRAINT pk_notification PRIMARY KEY (id), 
	CONSTRAINT fk_notification_deployment FOREIGN KEY(deployment) REFERENCES deployment (id), 
	CONSTRAINT uq_notification_deployment_event UNIQUE (deployment, event)
);
INSERT INTO "notification" VALUES(1,1,'flights-eu/1/1/0',1,'open','2013-04-01 06:00:00.000000','["a"]','[]',3,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(2,1,'flights-eu/1/2/0',2,'open','2013-04-02 06:00:00.000000','[]','[]',0,NULL,NULL,NULL);
INSERT INTO "notification" VALUES(3,1,'flights-eu/1/4/0',4,'open','2013-04-04 06:00:00.000000','[]','[]',96,NULL,'2013-04-09 00:00:00.000000',NULL);
CREATE TABLE pitfalls_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT pitfalls_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "pitfalls_revision" VALUES('0025');
CREATE TABLE rebaseline (
	deployment INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	since DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	former_digest VARCHAR NOT NULL, 
	former_basis VARCHAR NOT NULL, 
	former_since DATETIME, 
	states TEXT NOT NULL, 
	closed TEXT NOT NULL, 
	undone_at DATETIME, 
	undone_by VARCHAR DEFAULT '' NOT NULL, 
	CONSTRAINT pk_rebaseline PRIMARY KEY (deployment, position), 
	CONSTRAINT fk_rebaseline_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE rollout (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	champion BIGINT NOT NULL, 
	candidate BIGINT NOT NULL, 
	mode VARCHAR NOT NULL, 
	share VARCHAR NOT NULL, 
	salt VARCHAR NOT NULL, 
	settings TEXT NOT NULL, 
	state VARCHAR NOT NULL, 
	started_at DATETIME NOT NULL, 
	"by" VARCHAR NOT NULL, 
	release VARCHAR NOT NULL, 
	scale VARCHAR, 
	ended_at DATETIME, 
	result TEXT, 
	"plan" TEXT, 
	follows INTEGER, 
	CONSTRAINT pk_rollout PRIMARY KEY (id)
);
CREATE TABLE rollout_event (
	rollout INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	kind VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	reached TEXT DEFAULT '[]' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	completed_at DATETIME, 
	CONSTRAINT pk_rollout_event PRIMARY KEY (rollout, position), 
	CONSTRAINT fk_rollout_event_rollout FOREIGN KEY(rollout) REFERENCES rollout (id)
);
CREATE TABLE rollout_sample (
	rollout INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	salt VARCHAR NOT NULL, 
	probability VARCHAR NOT NULL, 
	due DATETIME NOT NULL, 
	CONSTRAINT pk_rollout_sample PRIMARY KEY (rollout, start), 
	CONSTRAINT fk_rollout_sample_rollout FOREIGN KEY(rollout) REFERENCES rollout (id)
);
CREATE TABLE rollout_window (
	rollout INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_rollout_window PRIMARY KEY (rollout, start), 
	CONSTRAINT fk_rollout_window_rollout FOREIGN KEY(rollout) REFERENCES rollout (id)
);
CREATE TABLE run (
	id INTEGER NOT NULL, 
	deployment INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	windows BIGINT NOT NULL, 
	rows BIGINT NOT NULL, 
	error TEXT NOT NULL, 
	host VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	CONSTRAINT pk_run PRIMARY KEY (id), 
	CONSTRAINT fk_run_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE score (
	window INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	level VARCHAR NOT NULL, 
	watch VARCHAR NOT NULL, 
	slice VARCHAR NOT NULL, 
	rows BIGINT NOT NULL, 
	value VARCHAR, 
	log_evidence VARCHAR NOT NULL, 
	CONSTRAINT pk_score PRIMARY KEY (window, position), 
	CONSTRAINT fk_score_window FOREIGN KEY(window) REFERENCES window (id)
);
CREATE TABLE window (
	id INTEGER NOT NULL, 
	deployment INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	rows BIGINT NOT NULL, 
	labels BIGINT NOT NULL, 
	labels_due BIGINT NOT NULL, 
	labels_unknown BIGINT NOT NULL, 
	repeats BIGINT NOT NULL, 
	status VARCHAR NOT NULL, 
	page_log_evidence VARCHAR NOT NULL, 
	notice_log_evidence VARCHAR NOT NULL, 
	findings TEXT NOT NULL, 
	label_cursor TEXT NOT NULL, 
	estimates TEXT, 
	unseen BIGINT DEFAULT '0' NOT NULL, 
	labels_conflicting BIGINT DEFAULT '0' NOT NULL, 
	label_delays TEXT DEFAULT '[]' NOT NULL, measured TEXT DEFAULT '[]' NOT NULL, loss_log_evidence VARCHAR DEFAULT '-inf' NOT NULL, 
	CONSTRAINT pk_window PRIMARY KEY (id), 
	CONSTRAINT fk_window_deployment FOREIGN KEY(deployment) REFERENCES deployment (id), 
	CONSTRAINT uq_window_deployment_start UNIQUE (deployment, start)
);
CREATE TABLE window_attempt (
	deployment INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	"end" DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	judged_at DATETIME, 
	error TEXT NOT NULL, 
	CONSTRAINT pk_window_attempt PRIMARY KEY (deployment, start), 
	CONSTRAINT fk_window_attempt_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
CREATE TABLE window_revision (
	deployment INTEGER NOT NULL, 
	start DATETIME NOT NULL, 
	backfill INTEGER NOT NULL, 
	"end" DATETIME NOT NULL, 
	rows BIGINT NOT NULL, 
	labels BIGINT NOT NULL, 
	status VARCHAR NOT NULL, 
	page_log_evidence VARCHAR NOT NULL, 
	notice_log_evidence VARCHAR NOT NULL, 
	CONSTRAINT pk_window_revision PRIMARY KEY (deployment, start, backfill), 
	CONSTRAINT fk_window_revision_deployment FOREIGN KEY(deployment) REFERENCES deployment (id), 
	CONSTRAINT fk_window_revision_backfill FOREIGN KEY(backfill) REFERENCES backfill (id)
);
CREATE INDEX ix_run_deployment ON run (deployment, id);
CREATE INDEX ix_backfill_deployment ON backfill (deployment, id);
CREATE INDEX ix_score_watch ON score (window, watch);
CREATE INDEX ix_added_labels_deployment ON added_labels (deployment, id);
CREATE INDEX ix_drill_name ON drill (name, id);
CREATE INDEX ix_rollout_name ON rollout (name, id);
COMMIT;
