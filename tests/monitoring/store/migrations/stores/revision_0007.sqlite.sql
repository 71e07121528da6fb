BEGIN TRANSACTION;
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
	baseline TEXT NOT NULL, 
	CONSTRAINT pk_deployment PRIMARY KEY (id), 
	CONSTRAINT uq_deployment_model_version_settings_digest UNIQUE (model, version, settings_digest)
);
INSERT INTO "deployment" VALUES(1,'flights-eu',1,'digest-1','2013-04-01 00:00:00.000000','2013-04-01 00:00:00.000000','UTC','1 per 365 windows','0x1p+8','1 per 30 windows','0x1p+4','[]','[]');
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
	told TEXT DEFAULT '[]' NOT NULL, 
	tellings INTEGER DEFAULT '0' NOT NULL, 
	told_at DATETIME, 
	detail TEXT, 
	CONSTRAINT pk_incident PRIMARY KEY (deployment, number), 
	CONSTRAINT fk_incident_deployment FOREIGN KEY(deployment) REFERENCES deployment (id)
);
INSERT INTO "incident" VALUES(1,1,'page','open','2013-04-01 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,'["a"]',3,NULL,NULL);
INSERT INTO "incident" VALUES(1,2,'page','open','2013-04-02 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,'[]',0,NULL,NULL);
INSERT INTO "incident" VALUES(1,3,'page','open','2013-04-03 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,'["a"]',1,'2013-04-09 00:00:00.000000',NULL);
INSERT INTO "incident" VALUES(1,4,'page','open','2013-04-04 06:00:00.000000','2013-04-01 00:00:00.000000','2013-04-02 00:00:00.000000','error','','cause','message','',NULL,NULL,'[]',96,'2013-04-09 00:00:00.000000',NULL);
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
CREATE TABLE pitfalls_revision (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT pitfalls_revision_pkc PRIMARY KEY (version_num)
);
INSERT INTO "pitfalls_revision" VALUES('0007');
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
	label_delays TEXT DEFAULT '[]' NOT NULL, 
	CONSTRAINT pk_window PRIMARY KEY (id), 
	CONSTRAINT fk_window_deployment FOREIGN KEY(deployment) REFERENCES deployment (id), 
	CONSTRAINT uq_window_deployment_start UNIQUE (deployment, start)
);
COMMIT;
