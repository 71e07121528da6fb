SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.deployment (
    id integer NOT NULL,
    model character varying NOT NULL,
    version bigint NOT NULL,
    settings_digest character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL,
    timezone character varying NOT NULL,
    page_budget character varying NOT NULL,
    page_threshold character varying NOT NULL,
    notice_budget character varying NOT NULL,
    notice_threshold character varying NOT NULL,
    sensitivity text NOT NULL,
    baseline text NOT NULL
);
CREATE SEQUENCE public.deployment_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.deployment_id_seq OWNED BY public.deployment.id;
CREATE TABLE public.incident (
    deployment integer NOT NULL,
    number integer NOT NULL,
    level character varying NOT NULL,
    state character varying NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    window_start timestamp with time zone NOT NULL,
    window_end timestamp with time zone NOT NULL,
    watch character varying NOT NULL,
    slice character varying NOT NULL,
    cause text NOT NULL,
    message text NOT NULL,
    recovery text NOT NULL,
    acknowledged_at timestamp with time zone,
    closed_at timestamp with time zone,
    told text DEFAULT '[]'::text NOT NULL,
    tellings integer DEFAULT 0 NOT NULL,
    told_at timestamp with time zone,
    detail text
);
CREATE TABLE public.lease (
    deployment integer NOT NULL,
    owner character varying NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.level_state (
    deployment integer NOT NULL,
    level character varying NOT NULL,
    text text NOT NULL
);
CREATE TABLE public.pitfalls_revision (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.score (
    "window" integer NOT NULL,
    "position" integer NOT NULL,
    level character varying NOT NULL,
    watch character varying NOT NULL,
    slice character varying NOT NULL,
    rows bigint NOT NULL,
    value character varying,
    log_evidence character varying NOT NULL
);
CREATE TABLE public."window" (
    id integer NOT NULL,
    deployment integer NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    rows bigint NOT NULL,
    labels bigint NOT NULL,
    labels_due bigint NOT NULL,
    labels_unknown bigint NOT NULL,
    repeats bigint NOT NULL,
    status character varying NOT NULL,
    page_log_evidence character varying NOT NULL,
    notice_log_evidence character varying NOT NULL,
    findings text NOT NULL,
    label_cursor text NOT NULL,
    estimates text,
    unseen bigint DEFAULT '0'::bigint NOT NULL,
    labels_conflicting bigint DEFAULT '0'::bigint NOT NULL,
    label_delays text DEFAULT '[]'::text NOT NULL
);
CREATE SEQUENCE public.window_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.window_id_seq OWNED BY public."window".id;
ALTER TABLE ONLY public.deployment ALTER COLUMN id SET DEFAULT nextval('public.deployment_id_seq'::regclass);
ALTER TABLE ONLY public."window" ALTER COLUMN id SET DEFAULT nextval('public.window_id_seq'::regclass);
INSERT INTO public.deployment VALUES (1, 'flights-eu', 1, 'digest-1', '2013-04-01 00:00:00+00', '2013-04-01 00:00:00+00', 'UTC', '1 per 365 windows', '0x1p+8', '1 per 30 windows', '0x1p+4', '[]', '[]');
INSERT INTO public.incident VALUES (1, 1, 'page', 'open', '2013-04-01 06:00:00+00', '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 'error', '', 'cause', 'message', '', NULL, NULL, '["a"]', 3, NULL, NULL);
INSERT INTO public.incident VALUES (1, 2, 'page', 'open', '2013-04-02 06:00:00+00', '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 'error', '', 'cause', 'message', '', NULL, NULL, '[]', 0, NULL, NULL);
INSERT INTO public.incident VALUES (1, 3, 'page', 'open', '2013-04-03 06:00:00+00', '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 'error', '', 'cause', 'message', '', NULL, NULL, '["a"]', 1, '2013-04-09 00:00:00+00', NULL);
INSERT INTO public.incident VALUES (1, 4, 'page', 'open', '2013-04-04 06:00:00+00', '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 'error', '', 'cause', 'message', '', NULL, NULL, '[]', 96, '2013-04-09 00:00:00+00', NULL);
INSERT INTO public.pitfalls_revision VALUES ('0007');
SELECT pg_catalog.setval('public.deployment_id_seq', 1, false);
SELECT pg_catalog.setval('public.window_id_seq', 1, false);
ALTER TABLE ONLY public.pitfalls_revision
    ADD CONSTRAINT pitfalls_revision_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT pk_deployment PRIMARY KEY (id);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT pk_incident PRIMARY KEY (deployment, number);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (deployment);
ALTER TABLE ONLY public.level_state
    ADD CONSTRAINT pk_level_state PRIMARY KEY (deployment, level);
ALTER TABLE ONLY public.score
    ADD CONSTRAINT pk_score PRIMARY KEY ("window", "position");
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT pk_window PRIMARY KEY (id);
ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT uq_deployment_model_version_settings_digest UNIQUE (model, version, settings_digest);
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT uq_window_deployment_start UNIQUE (deployment, start);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT fk_incident_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT fk_lease_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.level_state
    ADD CONSTRAINT fk_level_state_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.score
    ADD CONSTRAINT fk_score_window FOREIGN KEY ("window") REFERENCES public."window"(id);
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT fk_window_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
