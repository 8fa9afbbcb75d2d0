BEGIN TRANSACTION;
CREATE TABLE architecture_mixers (
	architecture_id TEXT NOT NULL, 
	stage INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	locality TEXT NOT NULL, 
	channels TEXT NOT NULL, 
	rank TEXT NOT NULL, 
	sharing TEXT NOT NULL, 
	dynamics TEXT NOT NULL, 
	kernel_size INTEGER, 
	groups INTEGER, 
	heads INTEGER, 
	ratio INTEGER, 
	name TEXT NOT NULL, 
	label TEXT NOT NULL, 
	CONSTRAINT pk_architecture_mixers PRIMARY KEY (architecture_id, stage, position), 
	CONSTRAINT fk_architecture_mixers_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id)
);
INSERT INTO "architecture_mixers" VALUES('e738ad679f7119db',0,0,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('e738ad679f7119db',1,0,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('e738ad679f7119db',1,1,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('9bd8eb3a894d8983',0,0,'sliding','separable','full','position','static',5,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('9bd8eb3a894d8983',0,1,'sliding','separable','full','position','static',5,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('9bd8eb3a894d8983',1,0,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('9bd8eb3a894d8983',1,1,'sliding','separable','full','position','static',5,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k5');
CREATE TABLE architecture_notes (
	id INTEGER NOT NULL, 
	architecture_id TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_architecture_notes PRIMARY KEY (id), 
	CONSTRAINT fk_architecture_notes_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id)
);
INSERT INTO "architecture_notes" VALUES(1,'9bd8eb3a894d8983','2026-11-30 08:00:00.000000','old');
CREATE TABLE architecture_tags (
	architecture_id TEXT NOT NULL, 
	tag TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	CONSTRAINT pk_architecture_tags PRIMARY KEY (architecture_id, tag), 
	CONSTRAINT fk_architecture_tags_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id)
);
INSERT INTO "architecture_tags" VALUES('9bd8eb3a894d8983','kept','2026-11-30 08:00:00.000000');
CREATE TABLE architectures (
	id TEXT NOT NULL, 
	json TEXT NOT NULL, 
	params BIGINT NOT NULL, 
	macs BIGINT NOT NULL, 
	scaffold TEXT NOT NULL, 
	depth INTEGER NOT NULL, 
	operators TEXT NOT NULL, trials INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_architectures PRIMARY KEY (id)
);
INSERT INTO "architectures" VALUES('e738ad679f7119db','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"conv","stages":[{"depth":1,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":2,"width":16},{"depth":2,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":2,"width":32}],"stem":{"patch_size":2},"version":1}',1000,10000,'conv',3,'DW-S Conv.',1);
INSERT INTO "architectures" VALUES('9bd8eb3a894d8983','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"prenorm","stages":[{"depth":2,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":5,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":2,"width":16},{"depth":2,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"},{"bias":true,"channels":"separable","dynamics":"static","kernel_size":5,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":2,"width":32}],"stem":{"patch_size":2},"version":1}',2000,20000,'prenorm',4,'DW-S Conv.',1);
CREATE TABLE events (
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	epoch INTEGER, 
	CONSTRAINT pk_events PRIMARY KEY (study_id, number), 
	CONSTRAINT ck_events_kind CHECK (kind IN ('created', 'epoch', 'complete', 'pruned', 'failed', 'infeasible', 'preempted', 'continued', 'forgotten')), 
	CONSTRAINT fk_events_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_events_trial_id_trials FOREIGN KEY(trial_id) REFERENCES trials (id)
);
INSERT INTO "events" VALUES(1,0,1,'created',NULL);
INSERT INTO "events" VALUES(1,1,1,'epoch',1);
INSERT INTO "events" VALUES(1,2,1,'complete',NULL);
INSERT INTO "events" VALUES(1,3,2,'created',NULL);
INSERT INTO "events" VALUES(1,4,2,'epoch',1);
INSERT INTO "events" VALUES(1,5,2,'epoch',2);
CREATE TABLE latencies (
	id INTEGER NOT NULL, 
	setting_id TEXT NOT NULL, 
	architecture_id TEXT NOT NULL, 
	median_ms DOUBLE NOT NULL, 
	disturbed BOOLEAN NOT NULL, 
	measured_for TEXT NOT NULL, 
	figure JSON NOT NULL, 
	CONSTRAINT pk_latencies PRIMARY KEY (id), 
	CONSTRAINT fk_latencies_setting_id_latency_settings FOREIGN KEY(setting_id) REFERENCES latency_settings (id)
);
INSERT INTO "latencies" VALUES(1,'cpu-eager','e738ad679f7119db',1.5,0,'old','{"median_ms": 1.5, "reasons": []}');
CREATE TABLE latency_parts (
	id INTEGER NOT NULL, 
	setting_id TEXT NOT NULL, 
	part_id TEXT NOT NULL, 
	part JSON NOT NULL, 
	figure JSON NOT NULL, 
	CONSTRAINT pk_latency_parts PRIMARY KEY (id), 
	CONSTRAINT fk_latency_parts_setting_id_latency_settings FOREIGN KEY(setting_id) REFERENCES latency_settings (id)
);
CREATE TABLE latency_predictors (
	id INTEGER NOT NULL, 
	setting_id TEXT NOT NULL, 
	space_id TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	predictor JSON NOT NULL, 
	CONSTRAINT pk_latency_predictors PRIMARY KEY (id), 
	CONSTRAINT fk_latency_predictors_setting_id_latency_settings FOREIGN KEY(setting_id) REFERENCES latency_settings (id)
);
CREATE TABLE latency_settings (
	id TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	spec JSON NOT NULL, 
	device JSON NOT NULL, 
	CONSTRAINT pk_latency_settings PRIMARY KEY (id)
);
INSERT INTO "latency_settings" VALUES('cpu-eager','2026-11-30 07:08:33.933459','{"device": "cpu", "threads": 1}','{"name": "a CPU"}');
CREATE TABLE metrics (
	trial_id INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	train_loss DOUBLE, 
	validation_loss DOUBLE, 
	validation_accuracy DOUBLE, 
	learning_rate DOUBLE, 
	seconds DOUBLE, images_per_second DOUBLE, skipped_steps INTEGER, peak_memory_bytes BIGINT, 
	CONSTRAINT pk_metrics PRIMARY KEY (trial_id, epoch), 
	CONSTRAINT fk_metrics_trial_id_trials FOREIGN KEY(trial_id) REFERENCES trials (id)
);
INSERT INTO "metrics" VALUES(1,1,1.0,1.5,0.75,0.001,1.0,NULL,NULL,NULL);
INSERT INTO "metrics" VALUES(2,1,1.0,1.5,0.5,0.001,1.0,NULL,NULL,NULL);
INSERT INTO "metrics" VALUES(2,2,1.0,1.5,0.6,0.001,1.0,NULL,NULL,NULL);
CREATE TABLE mixspace_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT mixspace_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "mixspace_version" VALUES('0010');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started DOUBLE NOT NULL, 
	started DATETIME NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	ended DATETIME, 
	end_reason TEXT, 
	machine JSON NOT NULL, 
	code_version TEXT NOT NULL, boot_id TEXT, pid_namespace TEXT, start_ticks BIGINT, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT fk_runs_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "runs" VALUES(1,1,'old-host',4242,1700000000.5,'2026-11-22 19:55:53.522954','2026-11-22 19:55:53.522954',NULL,NULL,'{"cpus": 2}','0.1.0',NULL,NULL,NULL);
CREATE TABLE "studies" (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	created DATETIME NOT NULL, 
	config JSON NOT NULL, 
	space JSON NOT NULL, 
	protocol JSON NOT NULL, 
	protocol_hash TEXT NOT NULL, 
	objective JSON NOT NULL, 
	planned_trials INTEGER NOT NULL, 
	searcher TEXT NOT NULL, 
	scheduler TEXT NOT NULL, 
	seeds JSON NOT NULL, 
	code_version TEXT NOT NULL, 
	exhausted TEXT, 
	uid TEXT NOT NULL, 
	checkpoints JSON, retrains JSON, latency_setting TEXT, 
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT uq_studies_name UNIQUE (name), 
	CONSTRAINT uq_studies_uid UNIQUE (uid)
);
INSERT INTO "studies" VALUES(1,'old','2026-11-22 19:55:53.474559','{"trials": 3}','{"stages": []}','{"epochs": 2}','0123456789abcdef','{"metric": "accuracy", "direction": "maximise"}',3,'random','none','{"search": 1}','0.1.0',NULL,'80490f8c8a164c229c2f412f72030975',NULL,NULL,NULL);
CREATE TABLE test_readings (
	id INTEGER NOT NULL, 
	architecture_id TEXT NOT NULL, 
	trial_id INTEGER, 
	read_at DATETIME NOT NULL, 
	protocol_hash TEXT NOT NULL, 
	accuracy DOUBLE, images INTEGER, chance DOUBLE, content_hash TEXT, device TEXT, 
	CONSTRAINT pk_test_readings PRIMARY KEY (id), 
	CONSTRAINT fk_test_readings_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id), 
	CONSTRAINT fk_test_readings_trial_id_trials FOREIGN KEY(trial_id) REFERENCES trials (id)
);
CREATE TABLE "trials" (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	architecture_id TEXT NOT NULL, 
	state TEXT NOT NULL, 
	reason TEXT, 
	origin TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	run_id INTEGER, 
	seeds JSON NOT NULL, 
	decisions JSON, 
	best_accuracy DOUBLE, 
	best_epoch INTEGER, 
	last_accuracy DOUBLE, 
	last_epoch INTEGER, 
	epochs_done INTEGER NOT NULL, 
	seconds DOUBLE NOT NULL, 
	created DATETIME NOT NULL, 
	started DATETIME, 
	ended DATETIME, 
	repeat INTEGER DEFAULT '0' NOT NULL, 
	continued INTEGER DEFAULT '0' NOT NULL, 
	source_trial_id INTEGER, 
	parent_trial_id INTEGER, 
	inherited_along TEXT, 
	ancestry_seconds DOUBLE DEFAULT '0' NOT NULL, accuracy DOUBLE, 
	CONSTRAINT pk_trials PRIMARY KEY (id), 
	CONSTRAINT fk_trials_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_trials_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_trials_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id), 
	CONSTRAINT ck_trials_reason CHECK (state IN ('waiting', 'running', 'complete') OR reason IS NOT NULL), 
	CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number), 
	CONSTRAINT ck_trials_state CHECK (state IN ('waiting', 'running', 'complete', 'pruned', 'infeasible', 'failed', 'preempted')), 
	CONSTRAINT uq_trials_study_id_architecture_id_repeat UNIQUE (study_id, architecture_id, repeat), 
	CONSTRAINT fk_trials_source_trial_id_trials FOREIGN KEY(source_trial_id) REFERENCES trials (id), 
	CONSTRAINT fk_trials_parent_trial_id_trials FOREIGN KEY(parent_trial_id) REFERENCES trials (id)
);
INSERT INTO "trials" VALUES(1,1,0,'e738ad679f7119db','complete',NULL,'random',1,1,'{"initialisation": 0}','[["width", 16]]',0.75,1,0.75,1,1,1.0,'2026-11-22 19:55:53.562766','2026-11-22 19:55:53.570983','2026-11-22 19:55:53.595088',0,0,NULL,NULL,NULL,0.0,0.75);
INSERT INTO "trials" VALUES(2,1,1,'9bd8eb3a894d8983','running',NULL,'random',1,1,'{"initialisation": 1}','[["width", 16]]',0.6,2,0.6,2,2,2.0,'2026-11-22 19:55:53.608405','2026-11-22 19:55:53.609617',NULL,0,0,NULL,NULL,NULL,0.0,0.6);
CREATE INDEX ix_runs_study_id ON runs (study_id);
CREATE INDEX ix_test_readings_architecture_id ON test_readings (architecture_id);
CREATE INDEX ix_trials_architecture_id ON trials (architecture_id);
CREATE INDEX ix_trials_run_id ON trials (run_id);
CREATE INDEX ix_trials_special ON trials (study_id) WHERE repeat > 0 OR continued > 0 OR source_trial_id IS NOT NULL OR parent_trial_id IS NOT NULL;
CREATE INDEX ix_trials_accuracy ON trials (accuracy);
CREATE INDEX ix_trials_study_id_state_accuracy ON trials (study_id, state, accuracy);
CREATE INDEX ix_latency_parts_setting_id_part_id ON latency_parts (setting_id, part_id);
CREATE INDEX ix_latency_predictors_setting_id ON latency_predictors (setting_id);
CREATE INDEX ix_latencies_setting_id_architecture_id ON latencies (setting_id, architecture_id);
CREATE INDEX ix_architecture_tags_tag ON architecture_tags (tag);
CREATE INDEX ix_architecture_notes_architecture_id ON architecture_notes (architecture_id);
CREATE INDEX ix_events_trial_id ON events (trial_id);
CREATE INDEX ix_test_readings_trial_id ON test_readings (trial_id);
CREATE INDEX ix_trials_source_trial_id ON trials (source_trial_id) WHERE source_trial_id IS NOT NULL;
CREATE INDEX ix_trials_parent_trial_id ON trials (parent_trial_id) WHERE parent_trial_id IS NOT NULL;
CREATE INDEX ix_architectures_met_often ON architectures (id, trials) WHERE trials > 1;
COMMIT;
