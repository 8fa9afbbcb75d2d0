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
INSERT INTO "architecture_mixers" VALUES('9cb471abce6b90ca',0,0,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('1a434035305b784f',0,0,'sliding','separable','full','position','homogeneous',3,NULL,NULL,NULL,'Dynamic DW-S Conv.','Dynamic DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('cd00a807a310ff64',0,0,'sliding','separable','full','position','homogeneous',5,NULL,NULL,NULL,'Dynamic DW-S Conv.','Dynamic DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('7d8be86772329a7e',0,0,'sliding','separable','full','position','homogeneous',5,NULL,NULL,NULL,'Dynamic DW-S Conv.','Dynamic DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('7d8be86772329a7e',0,1,'sliding','separable','full','position','homogeneous',5,NULL,NULL,NULL,'Dynamic DW-S Conv.','Dynamic DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('0f8d5fa16e757f38',0,0,'sliding','separable','full','position','static',5,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k5');
INSERT INTO "architecture_mixers" VALUES('75dd15995e9f8591',0,0,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('75dd15995e9f8591',0,1,'sliding','separable','full','position','static',3,NULL,NULL,NULL,'DW-S Conv.','DW-S Conv. k3');
INSERT INTO "architecture_mixers" VALUES('b65686d19c8c4822',0,0,'sliding','separable','full','channel','attention',3,NULL,1,NULL,'Neighbourhood attention','Neighbourhood attention k3 h1');
INSERT INTO "architecture_mixers" VALUES('b65686d19c8c4822',0,1,'sliding','separable','full','channel','attention',3,NULL,1,NULL,'Neighbourhood attention','Neighbourhood attention k3 h1');
CREATE TABLE architectures (
	id TEXT NOT NULL, 
	json TEXT NOT NULL, 
	params BIGINT NOT NULL, 
	macs BIGINT NOT NULL, 
	scaffold TEXT NOT NULL, 
	depth INTEGER NOT NULL, 
	operators TEXT NOT NULL, 
	CONSTRAINT pk_architectures PRIMARY KEY (id)
);
INSERT INTO "architectures" VALUES('9cb471abce6b90ca','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":1,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":1,"width":8}],"stem":{"patch_size":7},"version":1}',770,9552,'convnext',1,'DW-S Conv.');
INSERT INTO "architectures" VALUES('1a434035305b784f','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":1,"mixers":[{"bias":true,"channels":"separable","dynamics":"homogeneous","generator_ratio":4,"kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":1,"width":8}],"stem":{"patch_size":7},"version":1}',934,9712,'convnext',1,'Dynamic DW-S Conv.');
INSERT INTO "architectures" VALUES('cd00a807a310ff64','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":1,"mixers":[{"bias":true,"channels":"separable","dynamics":"homogeneous","generator_ratio":4,"kernel_size":5,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":1,"width":8}],"stem":{"patch_size":7},"version":1}',1318,12016,'convnext',1,'Dynamic DW-S Conv.');
INSERT INTO "architectures" VALUES('7d8be86772329a7e','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":2,"mixers":[{"bias":true,"channels":"separable","dynamics":"homogeneous","generator_ratio":4,"kernel_size":5,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":1,"width":8}],"stem":{"patch_size":7},"version":1}',2114,17680,'convnext',2,'Dynamic DW-S Conv.');
INSERT INTO "architectures" VALUES('0f8d5fa16e757f38','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":1,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":5,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":2,"width":8}],"stem":{"patch_size":7},"version":1}',1034,13648,'convnext',1,'DW-S Conv.');
INSERT INTO "architectures" VALUES('75dd15995e9f8591','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":2,"mixers":[{"bias":true,"channels":"separable","dynamics":"static","kernel_size":3,"locality":"sliding","rank":"full","sharing":"position"}],"mlp_ratio":1,"width":8}],"stem":{"patch_size":7},"version":1}',1018,12752,'convnext',2,'DW-S Conv.');
INSERT INTO "architectures" VALUES('b65686d19c8c4822','{"head":{"classes":10},"input":{"channels":1,"height":28,"width":28},"scaffold":"convnext","stages":[{"depth":2,"mixers":[{"bias":false,"channels":"separable","dynamics":"attention","heads":1,"kernel_size":3,"locality":"sliding","position_bias":false,"query_key_bias":true,"rank":"full","sharing":"channel"}],"mlp_ratio":2,"width":8}],"stem":{"patch_size":7},"version":1}',1418,23248,'convnext',2,'Neighbourhood attention');
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
INSERT INTO "events" VALUES(1,1,2,'created',NULL);
INSERT INTO "events" VALUES(1,2,1,'epoch',1);
INSERT INTO "events" VALUES(1,3,1,'epoch',2);
INSERT INTO "events" VALUES(1,4,1,'epoch',3);
INSERT INTO "events" VALUES(1,5,1,'epoch',4);
INSERT INTO "events" VALUES(1,6,1,'complete',NULL);
INSERT INTO "events" VALUES(1,7,3,'created',NULL);
INSERT INTO "events" VALUES(1,8,3,'epoch',1);
INSERT INTO "events" VALUES(1,9,3,'pruned',NULL);
INSERT INTO "events" VALUES(1,10,4,'created',NULL);
INSERT INTO "events" VALUES(1,11,4,'epoch',1);
INSERT INTO "events" VALUES(1,12,4,'pruned',NULL);
INSERT INTO "events" VALUES(1,13,5,'created',NULL);
INSERT INTO "events" VALUES(1,14,2,'epoch',1);
INSERT INTO "events" VALUES(1,15,2,'pruned',NULL);
INSERT INTO "events" VALUES(1,16,6,'created',NULL);
INSERT INTO "events" VALUES(1,17,6,'epoch',1);
INSERT INTO "events" VALUES(1,18,5,'epoch',1);
INSERT INTO "events" VALUES(1,19,5,'pruned',NULL);
INSERT INTO "events" VALUES(1,20,7,'created',NULL);
INSERT INTO "events" VALUES(1,21,6,'preempted',NULL);
INSERT INTO "events" VALUES(1,22,7,'preempted',NULL);
CREATE TABLE metrics (
	trial_id INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	train_loss DOUBLE, 
	validation_loss DOUBLE, 
	validation_accuracy DOUBLE, 
	learning_rate DOUBLE, 
	seconds DOUBLE, 
	CONSTRAINT pk_metrics PRIMARY KEY (trial_id, epoch), 
	CONSTRAINT fk_metrics_trial_id_trials FOREIGN KEY(trial_id) REFERENCES trials (id)
);
INSERT INTO "metrics" VALUES(1,1,2.29438042640686035156e+00,2.28067062377929685723e+00,0.28,4.62629175364538767351e-03,1.48647276997508015483e-01);
INSERT INTO "metrics" VALUES(1,2,2.27121561765670776367e+00,2.26256866455078142763e+00,0.29,3.1877891602298475196e-03,1.06041863997234031558e-01);
INSERT INTO "metrics" VALUES(1,3,2.25147825479507446289e+00,2.25053833007812498223e+00,0.29,1.39288280233753843963e-03,8.25738420026027597486e-02);
INSERT INTO "metrics" VALUES(1,4,2.24064385890960693359e+00,2.24677474975585944605e+00,0.29,1.78481787636132531666e-04,1.11304612000822089612e-01);
INSERT INTO "metrics" VALUES(3,1,2.29491668939590454101e+00,2.28557083129882832039e+00,0.12,4.62629175364538767351e-03,1.52395834003982599824e-01);
INSERT INTO "metrics" VALUES(4,1,2.29357504844665527343e+00,2.28244064331054685723e+00,0.21,4.62629175364538767351e-03,2.71222629999101627618e-01);
INSERT INTO "metrics" VALUES(2,1,2.30121868848800659179e+00,2.289208984375,0.12,4.62629175364538767351e-03,1.76299528997333254665e-01);
INSERT INTO "metrics" VALUES(6,1,2.2986500859260559082e+00,2.28662155151367185723e+00,0.21,4.62629175364538767351e-03,1.44540111999958753585e-01);
INSERT INTO "metrics" VALUES(5,1,2.30392104387283325195e+00,2.29045776367187503552e+00,0.2,4.62629175364538767351e-03,0.171041759000218);
CREATE TABLE mixspace_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT mixspace_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "mixspace_version" VALUES('0005');
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
INSERT INTO "runs" VALUES(1,1,'elsewhere',12644,1795892606.25,'2026-11-28 19:03:45.494832','2026-11-28 19:04:25.522863','2026-11-28 19:04:29.852646','interrupted by SIGINT','{"host": "elsewhere", "system": "Linux-6.18.44-fc-v595-x86_64-with-glibc2.36", "processor": "AMD EPYC", "cores": 2, "memory_bytes": 25276514304, "python": "3.11.7", "packages": {"torch": "2.13.0+cpu", "timm": "1.0.31", "ray": "2.60.0", "optuna": "5.0.0", "numpy": "2.4.6"}, "cluster": {"cpus": 2.0, "gpus": 0, "accelerators": [], "nodes": 1}}','0.1.0+gaf0dd098','2a7812bd-0ad1-44c3-911b-73a459c8cac0','4026531836',5714525);
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
	checkpoints JSON, 
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT uq_studies_name UNIQUE (name), 
	CONSTRAINT uq_studies_uid UNIQUE (uid)
);
INSERT INTO "studies" VALUES(1,'before','2026-11-28 19:03:45.361819','{"study": "before", "objectives": {"validation_accuracy": "maximise"}, "constraints": {"params": "9k"}, "searcher": {"name": "evolution", "population": 4, "tournament": 2, "startup": 12, "two_moves": 0.2}, "scheduler": {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}, "trials": 8, "initial": ["named"], "seed": 3, "seeds": {"searcher": null, "initialisation": null, "data_order": null}, "random_baseline": 0.0, "warm_start": [], "retries": 1, "stop_after_same_failures": 3, "trial_time_limit": 86400.0, "store_patience": 600.0, "time_limit": null, "resources": {"cpus_per_trial": 1.0, "gpus_per_trial": 0.0, "concurrent_trials": null, "autoscaling": false}, "checkpoints": "checkpoints", "space": {"name": "before", "input": {"channels": 1, "height": 28, "width": 28}, "classes": 10, "stem": {"patch_size": [7]}, "scaffold": ["convnext"], "downsample": "merge", "head": {"norm": "before"}, "mixers": [{"operator": ["dw-s conv.", "dynamic dw-s conv."], "kernel_size": [3, 5]}, {"operator": "neighbourhood attention", "kernel_size": 3, "heads": 1}], "stages": [{"depth": [1, 2], "width": [8], "mlp_ratio": [1.0, 2.0], "pattern": 1}], "limits": {}}, "data": {"name": "fashion-mnist", "source": "embedded", "folder": null, "download": false, "limit_train": 200, "limit_validation": 100, "check": "full", "broken": "refuse", "test_fraction": null, "workers": 0}, "protocol": {"data": "fashion-mnist", "content_hash": null, "split_hash": null, "split_seed": 0, "validation_fraction": 0.2, "epochs": 4, "batch_size": 50, "optimiser": "adamw", "learning_rate": 0.005, "weight_decay": 0.2, "weight_decay_exempt": "network", "betas": [0.9, 0.99], "warmup_epochs": 0.5, "warmup_learning_rate": 0.0001, "minimum_learning_rate": 1e-05, "label_smoothing": 0.1, "clip_norm": 5.0, "drop_path": 0.0, "precision": "auto", "seed_policy": "per-trial", "augmentation": {"crop_padding": 0, "flip": 0.5, "mixup": 0.0, "cutmix": 0.0, "mixup_switch": 0.5, "random_erasing": 0.0, "rand_augment": null, "colour_jitter": 0.0, "crop_scale": [0.08, 1.0], "interpolation": "bicubic", "image_size": 224, "background": "white", "test_crop": 0.875}, "initialisation": "scratch", "weight_init": "published", "ema_decay": null, "judged_by": "last"}}','{"name": "before", "input": {"channels": 1, "height": 28, "width": 28}, "classes": 10, "stem": {"patch_size": [7]}, "scaffold": ["convnext"], "downsample": "merge", "head": {"norm": "before"}, "mixers": [{"operator": ["dw-s conv.", "dynamic dw-s conv."], "kernel_size": [3, 5]}, {"operator": "neighbourhood attention", "kernel_size": 3, "heads": 1}], "stages": [{"depth": [1, 2], "width": [8], "mlp_ratio": [1.0, 2.0], "pattern": 1}], "limits": {"params": 9000}}','{"data": "fashion-mnist", "content_hash": "f4bcdbf7cf622e0e", "split_hash": "fa89962edc785c82", "split_seed": 0, "validation_fraction": 0.2, "epochs": 4, "batch_size": 50, "optimiser": "adamw", "learning_rate": 0.005, "weight_decay": 0.2, "weight_decay_exempt": "network", "betas": [0.9, 0.99], "warmup_epochs": 0.5, "warmup_learning_rate": 0.0001, "minimum_learning_rate": 1e-05, "label_smoothing": 0.1, "clip_norm": 5.0, "drop_path": 0.0, "precision": "auto", "seed_policy": "per-trial", "augmentation": {"crop_padding": 0, "flip": 0.5, "mixup": 0.0, "cutmix": 0.0, "mixup_switch": 0.5, "random_erasing": 0.0, "rand_augment": null, "colour_jitter": 0.0, "crop_scale": [0.08, 1.0], "interpolation": "bicubic", "image_size": 224, "background": "white", "test_crop": 0.875}, "initialisation": "scratch", "weight_init": "published", "ema_decay": null, "judged_by": "last"}','38f39091498b9537','{"objectives": {"validation_accuracy": "maximise"}, "constraints": {"params": "9k"}, "data": {"train_images": 200, "validation_images": 100, "chance": 0.1, "remarks": []}, "warm_start": {}}',8,'evolution','asha','{"study": 3, "split": 0, "searcher": 3, "initialisation": 3, "data_order": 3}','0.1.0+gaf0dd098',NULL,'9c1e5e401b7d47638f766994f6ee4e77','[{"path": "{folder}/checkpoints/before-9c1e5e401b7d", "from_store": "checkpoints/before-9c1e5e401b7d"}]');
CREATE TABLE test_readings (
	id INTEGER NOT NULL, 
	architecture_id TEXT NOT NULL, 
	trial_id INTEGER, 
	read_at DATETIME NOT NULL, 
	protocol_hash TEXT NOT NULL, 
	accuracy DOUBLE, 
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
	CONSTRAINT fk_trials_architecture_id_architectures FOREIGN KEY(architecture_id) REFERENCES architectures (id), 
	CONSTRAINT fk_trials_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_trials_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT uq_trials_study_id_number UNIQUE (study_id, number), 
	CONSTRAINT ck_trials_state CHECK (state IN ('waiting', 'running', 'complete', 'pruned', 'infeasible', 'failed', 'preempted')), 
	CONSTRAINT ck_trials_reason CHECK (state IN ('waiting', 'running', 'complete') OR reason IS NOT NULL), 
	CONSTRAINT uq_trials_study_id_architecture_id_repeat UNIQUE (study_id, architecture_id, repeat), 
	CONSTRAINT fk_trials_source_trial_id_trials FOREIGN KEY(source_trial_id) REFERENCES trials (id), 
	CONSTRAINT fk_trials_parent_trial_id_trials FOREIGN KEY(parent_trial_id) REFERENCES trials (id)
);
INSERT INTO "trials" VALUES(1,1,0,'9cb471abce6b90ca','complete',NULL,'named:DW-S Conv.',1,1,'{"initialisation": 1465641111, "data_order": 735236980}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 1}, {"name": "stages[0].mlp_ratio", "choice": 1}, {"name": "stages[0].mixers[0].operator", "choice": "DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 3}]',0.29,2,0.29,4,4,4.48567594998166896402e-01,'2026-11-28 19:03:48.278568','2026-11-28 19:04:07.240205','2026-11-28 19:04:28.862692',0,0,NULL,NULL,NULL,0.0,0.29);
INSERT INTO "trials" VALUES(2,1,1,'1a434035305b784f','pruned','place 3 of 4 after 1 epoch; the best 2 went on (asha)','named:Dynamic DW-S Conv.',1,1,'{"initialisation": 784374903, "data_order": 780780625}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 1}, {"name": "stages[0].mlp_ratio", "choice": 1}, {"name": "stages[0].mixers[0].operator", "choice": "Dynamic DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 3}]',0.12,1,0.12,1,1,1.76299528997333254665e-01,'2026-11-28 19:03:48.322298','2026-11-28 19:04:09.387885','2026-11-28 19:04:29.532222',0,0,NULL,NULL,NULL,0.0,0.12);
INSERT INTO "trials" VALUES(3,1,2,'cd00a807a310ff64','pruned','place 2 of 2 after 1 epoch; only the best went on (asha)','evolution',1,1,'{"initialisation": 1885122793, "data_order": 1873685460}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 1}, {"name": "stages[0].mlp_ratio", "choice": 1}, {"name": "stages[0].mixers[0].operator", "choice": "Dynamic DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 5}]',0.12,1,0.12,1,1,1.52395834003982599824e-01,'2026-11-28 19:04:28.871607','2026-11-28 19:04:28.932020','2026-11-28 19:04:29.135204',0,0,NULL,NULL,NULL,0.0,0.12);
INSERT INTO "trials" VALUES(4,1,3,'7d8be86772329a7e','pruned','place 2 of 3 after 1 epoch; only the best went on (asha)','evolution',1,1,'{"initialisation": 1419759451, "data_order": 839427737}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 2}, {"name": "stages[0].mlp_ratio", "choice": 1}, {"name": "stages[0].mixers[0].operator", "choice": "Dynamic DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 5}]',0.21,1,0.21,1,1,2.71222629999101627618e-01,'2026-11-28 19:04:29.140463','2026-11-28 19:04:29.167595','2026-11-28 19:04:29.480930',0,0,NULL,NULL,NULL,0.0,0.21);
INSERT INTO "trials" VALUES(5,1,4,'0f8d5fa16e757f38','pruned','place 4 of 6 after 1 epoch; the best 3 went on (asha)','evolution',1,1,'{"initialisation": 1371600027, "data_order": 746955002}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 1}, {"name": "stages[0].mlp_ratio", "choice": 2}, {"name": "stages[0].mixers[0].operator", "choice": "DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 5}]',0.2,1,0.2,1,1,0.171041759000218,'2026-11-28 19:04:29.499961','2026-11-28 19:04:29.571978','2026-11-28 19:04:29.780651',0,0,NULL,NULL,NULL,0.0,0.2);
INSERT INTO "trials" VALUES(6,1,5,'75dd15995e9f8591','preempted','interrupted by SIGINT','evolution',1,1,'{"initialisation": 1847270077, "data_order": 2044072106}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 2}, {"name": "stages[0].mlp_ratio", "choice": 1}, {"name": "stages[0].mixers[0].operator", "choice": "DW-S Conv."}, {"name": "stages[0].mixers[0].kernel_size", "choice": 3}]',0.21,1,0.21,1,1,1.44540111999958753585e-01,'2026-11-28 19:04:29.555882','2026-11-28 19:04:29.591230',NULL,0,0,NULL,NULL,NULL,0.0,0.21);
INSERT INTO "trials" VALUES(7,1,6,'b65686d19c8c4822','preempted','interrupted by SIGINT','evolution',1,1,'{"initialisation": 396605280, "data_order": 1966642150}','[{"name": "scaffold", "choice": "convnext"}, {"name": "stem.patch_size", "choice": 7}, {"name": "stages[0].width", "choice": 8}, {"name": "stages[0].depth", "choice": 2}, {"name": "stages[0].mlp_ratio", "choice": 2}, {"name": "stages[0].mixers[0].operator", "choice": "Neighbourhood attention"}]',NULL,NULL,NULL,NULL,0,0.0,'2026-11-28 19:04:29.796899','2026-11-28 19:04:29.835234',NULL,0,0,NULL,NULL,NULL,0.0,NULL);
CREATE INDEX ix_runs_study_id ON runs (study_id);
CREATE INDEX ix_test_readings_architecture_id ON test_readings (architecture_id);
CREATE INDEX ix_trials_run_id ON trials (run_id);
CREATE INDEX ix_trials_architecture_id ON trials (architecture_id);
CREATE INDEX ix_trials_special ON trials (study_id) WHERE repeat > 0 OR continued > 0 OR source_trial_id IS NOT NULL OR parent_trial_id IS NOT NULL;
CREATE INDEX ix_trials_accuracy ON trials (accuracy);
CREATE INDEX ix_trials_study_id_state_accuracy ON trials (study_id, state, accuracy);
COMMIT;
