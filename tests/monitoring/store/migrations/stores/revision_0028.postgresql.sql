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
CREATE TABLE public.added_labels (
    id integer NOT NULL,
    deployment integer NOT NULL,
    at timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    labels bigint NOT NULL
);
CREATE SEQUENCE public.added_labels_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.added_labels_id_seq OWNED BY public.added_labels.id;
CREATE TABLE public.backfill (
    id integer NOT NULL,
    deployment integer NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    "only" character varying NOT NULL,
    revised integer NOT NULL,
    ended_at timestamp with time zone
);
CREATE SEQUENCE public.backfill_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.backfill_id_seq OWNED BY public.backfill.id;
CREATE TABLE public.checkpoint (
    deployment integer NOT NULL,
    start timestamp with time zone NOT NULL,
    content bytea NOT NULL
);
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
    baseline text NOT NULL,
    name character varying DEFAULT ''::character varying NOT NULL,
    traffic character varying DEFAULT ''::character varying NOT NULL,
    follows integer,
    quiet_until timestamp with time zone,
    checked_at timestamp with time zone,
    next_due_at timestamp with time zone,
    inputs character varying DEFAULT ''::character varying NOT NULL,
    traffic_state character varying DEFAULT ''::character varying NOT NULL,
    basis character varying DEFAULT ''::character varying NOT NULL,
    since timestamp with time zone,
    metrics text DEFAULT '[]'::text NOT NULL,
    measured text DEFAULT '[]'::text NOT NULL,
    retired_at timestamp with time zone,
    retired_as character varying DEFAULT ''::character varying NOT NULL
);
CREATE SEQUENCE public.deployment_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.deployment_id_seq OWNED BY public.deployment.id;
CREATE TABLE public.drill (
    id integer NOT NULL,
    name character varying NOT NULL,
    version bigint NOT NULL,
    basis character varying NOT NULL,
    at timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    release character varying NOT NULL,
    seed bigint NOT NULL,
    source character varying NOT NULL,
    source_windows integer NOT NULL,
    source_start timestamp with time zone NOT NULL,
    source_end timestamp with time zone NOT NULL,
    lead integer NOT NULL,
    windows integer NOT NULL,
    replicates integer NOT NULL,
    false_pages integer NOT NULL,
    false_notices integer NOT NULL,
    unfit text NOT NULL
);
CREATE SEQUENCE public.drill_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.drill_id_seq OWNED BY public.drill.id;
CREATE TABLE public.drill_result (
    drill integer NOT NULL,
    "position" integer NOT NULL,
    fault character varying NOT NULL,
    title character varying NOT NULL,
    what text NOT NULL,
    touches character varying NOT NULL,
    level character varying NOT NULL,
    promised boolean NOT NULL,
    replicates integer NOT NULL,
    told integer NOT NULL,
    median_delay integer,
    cause text NOT NULL,
    runs text NOT NULL
);
CREATE TABLE public.fleet_member (
    deployment integer NOT NULL,
    team character varying NOT NULL,
    budget character varying NOT NULL,
    log_evidence character varying NOT NULL,
    alarmed boolean NOT NULL,
    days character varying NOT NULL,
    counted_until timestamp with time zone NOT NULL
);
CREATE TABLE public.fleet_page (
    id integer NOT NULL,
    team character varying NOT NULL,
    deployment integer NOT NULL,
    at timestamp with time zone NOT NULL,
    budget character varying NOT NULL,
    log_evidence character varying NOT NULL,
    members text NOT NULL
);
CREATE SEQUENCE public.fleet_page_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.fleet_page_id_seq OWNED BY public.fleet_page.id;
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
    detail text,
    history text DEFAULT '[]'::text NOT NULL,
    previous integer,
    owner character varying DEFAULT ''::character varying NOT NULL,
    snoozed_until timestamp with time zone,
    snoozed_until_worse boolean DEFAULT false NOT NULL,
    closed_from character varying DEFAULT ''::character varying NOT NULL
);
CREATE TABLE public.incident_action (
    deployment integer NOT NULL,
    incident integer NOT NULL,
    "position" integer NOT NULL,
    at timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    kind character varying NOT NULL,
    text text NOT NULL,
    until timestamp with time zone,
    until_worse boolean NOT NULL
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
CREATE TABLE public.monitor (
    name character varying NOT NULL,
    config character varying NOT NULL,
    first_run_at timestamp with time zone NOT NULL,
    last_run_at timestamp with time zone NOT NULL,
    succeeded_at timestamp with time zone,
    failures integer NOT NULL,
    error text NOT NULL
);
CREATE TABLE public.notification (
    id integer NOT NULL,
    deployment integer NOT NULL,
    event character varying NOT NULL,
    incident integer,
    state character varying NOT NULL,
    at timestamp with time zone NOT NULL,
    reached text NOT NULL,
    abandoned text NOT NULL,
    attempts integer NOT NULL,
    completed_at timestamp with time zone,
    given_up_at timestamp with time zone,
    digest integer,
    next_attempt_at timestamp with time zone
);
CREATE SEQUENCE public.notification_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.notification_id_seq OWNED BY public.notification.id;
CREATE TABLE public.pitfalls_revision (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.rebaseline (
    deployment integer NOT NULL,
    "position" integer NOT NULL,
    at timestamp with time zone NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    since timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    reason text NOT NULL,
    former_digest character varying NOT NULL,
    former_basis character varying NOT NULL,
    former_since timestamp with time zone,
    states text NOT NULL,
    closed text NOT NULL,
    undone_at timestamp with time zone,
    undone_by character varying DEFAULT ''::character varying NOT NULL
);
CREATE TABLE public.rollout (
    id integer NOT NULL,
    name character varying NOT NULL,
    model character varying NOT NULL,
    champion bigint NOT NULL,
    candidate bigint NOT NULL,
    mode character varying NOT NULL,
    share character varying NOT NULL,
    salt character varying NOT NULL,
    settings text NOT NULL,
    state character varying NOT NULL,
    started_at timestamp with time zone NOT NULL,
    by character varying NOT NULL,
    release character varying NOT NULL,
    scale character varying,
    ended_at timestamp with time zone,
    result text,
    plan text,
    follows integer
);
CREATE TABLE public.rollout_event (
    rollout integer NOT NULL,
    "position" integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind character varying NOT NULL,
    by character varying NOT NULL,
    text text NOT NULL,
    reached text DEFAULT '[]'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    completed_at timestamp with time zone
);
CREATE SEQUENCE public.rollout_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rollout_id_seq OWNED BY public.rollout.id;
CREATE TABLE public.rollout_sample (
    rollout integer NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    salt character varying NOT NULL,
    probability character varying NOT NULL,
    due timestamp with time zone NOT NULL
);
CREATE TABLE public.rollout_window (
    rollout integer NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    document text NOT NULL
);
CREATE TABLE public.run (
    id integer NOT NULL,
    deployment integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    windows bigint NOT NULL,
    rows bigint NOT NULL,
    error text NOT NULL,
    host character varying NOT NULL,
    version character varying NOT NULL
);
CREATE SEQUENCE public.run_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.run_id_seq OWNED BY public.run.id;
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
    label_delays text DEFAULT '[]'::text NOT NULL,
    measured text DEFAULT '[]'::text NOT NULL,
    loss_log_evidence character varying DEFAULT '-inf'::character varying NOT NULL,
    fact text DEFAULT ''::text NOT NULL,
    unlabelled text DEFAULT ''::text NOT NULL,
    burn_in text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.window_attempt (
    deployment integer NOT NULL,
    start timestamp with time zone NOT NULL,
    "end" timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    judged_at timestamp with time zone,
    error text NOT NULL
);
CREATE SEQUENCE public.window_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.window_id_seq OWNED BY public."window".id;
CREATE TABLE public.window_revision (
    deployment integer NOT NULL,
    start timestamp with time zone NOT NULL,
    backfill integer NOT NULL,
    "end" timestamp with time zone NOT NULL,
    rows bigint NOT NULL,
    labels bigint NOT NULL,
    status character varying NOT NULL,
    page_log_evidence character varying NOT NULL,
    notice_log_evidence character varying NOT NULL
);
ALTER TABLE ONLY public.added_labels ALTER COLUMN id SET DEFAULT nextval('public.added_labels_id_seq'::regclass);
ALTER TABLE ONLY public.backfill ALTER COLUMN id SET DEFAULT nextval('public.backfill_id_seq'::regclass);
ALTER TABLE ONLY public.deployment ALTER COLUMN id SET DEFAULT nextval('public.deployment_id_seq'::regclass);
ALTER TABLE ONLY public.drill ALTER COLUMN id SET DEFAULT nextval('public.drill_id_seq'::regclass);
ALTER TABLE ONLY public.fleet_page ALTER COLUMN id SET DEFAULT nextval('public.fleet_page_id_seq'::regclass);
ALTER TABLE ONLY public.notification ALTER COLUMN id SET DEFAULT nextval('public.notification_id_seq'::regclass);
ALTER TABLE ONLY public.rollout ALTER COLUMN id SET DEFAULT nextval('public.rollout_id_seq'::regclass);
ALTER TABLE ONLY public.run ALTER COLUMN id SET DEFAULT nextval('public.run_id_seq'::regclass);
ALTER TABLE ONLY public."window" ALTER COLUMN id SET DEFAULT nextval('public.window_id_seq'::regclass);
INSERT INTO public.added_labels VALUES (1, 2, '2013-04-10 00:00:00+00', 'ada', 12);
INSERT INTO public.backfill VALUES (1, 2, '2013-04-01 00:00:00+00', '2013-04-06 00:00:00+00', '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', 'ada', 'missing', 2, NULL);
INSERT INTO public.checkpoint VALUES (1, '2013-04-17 00:00:00+00', '\x7801dd9c7b8f1c3772c0bf4a63814374b056e0a3d94d4ab83f2e4182bc7001820b02c4321476932dcddd686631b36bd930fcddf32bf6637a76671f67fb92c02bed63386cb2aa58ef2ace0f57c7db789b8f576fab1faee297b8b9cd89bfafb46d9c7346cd5f950c34b631f53452d5aad2aa0afcd3a632bad2e1c2d0fbddf89c9f1fe321166a8d69e691f2148f9bca95955465d4a5b171a9d6d4fe0c26af823a5bca1698c20aa4b3917119aff5825b81c807579f2da3aab6d20d3fd6a8ad87a68542db9cc113bc5e90153442e52b5dd0d3ac652f0c8d0b85e5295568d4a8c69f13db0228f0b00a2b9a42a2f3a1b250a3da851ee342dad50f882d0b412253695f59f99305cb2ffef257afabab7efff9261e465e90d7f9dbbcbb152eb9fae147793d6c0ec7db0fdbd8e56d19e554ebb65d4858767e38e09d3f0385adb5ac56d6f970b8dbad7618c78e9b6ddef57966c91a265c93bbd1ae39f183af94fc931577fbdbcdf8d80fefafbe6c7669ffe5f89e559ad715afe36dff2997d75f7ffdfe2a1f6f379f1182f4a13b6cf2e13dcfbfbf1a7f5eabeff49be07b6d53d38538f4fee6da5665b4eff3a05db62af44d7773adc7511752762eb69def8774f3957e270bb4d17aeb9ad09baef1375f01a20c2adffba8fad6c08af3a06ffa3af9a8999f64e6bb665ca033410fddc8b237d7f5fbab6f5e576790e7c361ff10f2ba8f3ed8d07731f76181b1e9fb30342d10a566909d477c94f28deea24a6d32405e80547daf3bd3a534b8ae5f507729d821c7389864eb65011590ea2eb601a4183505f2c60eadcebd1d3a35d8194be74dd229f64143bc79b0b500a598ad83964527d493b7ca299f1bf95aa1bed9dddcddbedd1f361f37bbdffdfd7ffefbfad484bc6cd9fbae772176439ef768baba5166b0c100d03c6893b1ba6b55db450e82e395c7bbb6ee72e78658f799c166a4916d63dbba81c348b559e8a95cb03a9bc676ad6ee633d79d55501d666da1dc444e9b9276a6573e364d98077bd705e3eb309841e9d3a06db537ce43f7854409b63043f43adadecde0abdcda362b1787ae83c27aa29b0ea7af08a833cb9cd1ed9fffe15feed3ed8478ae2f226e4f8cb4467c619935e1e30ce49af085e584c62bc26b91abc230bd3b218e008db2b246bc9d07d788c33023c33e4b76a46a9c799fec13ddfad557bab936e774bbcd9f6fde6ef77dbcddec77f749a7ea14536c381bbb265d7211b96a63d6835e78c63a6f7be3fbd867bdb08751b1f3b5edf2d0d4f0ec0867d64d1d3b9d902db4cf2cadca04642867d538c531b942bb3aaa36a1417c30f5c21f7a4801e5617d33d845cf38548051a9ceb96610e525e76186364783fe695db76c5f438fa6354d8e5db7d02ec6262b74453df4460e7ea21dec6eba4ef545582fd3ee7873c831ad2957944f4e5d1387e0910c51b19332ed02bb26f4874b03db4c8a6a887d138030b00f0c3651c925e77acd5cf42a5b4fda3866e51362e94c5b2fa356ab9483b7393451f01c1555f0c9ba0ea64a21cf1469bcd543e894328d0c4eab9aa863ec5c32baeeca890af1001d3b6bb3a98d5d64016234de219b39b985789601d37719e93608ac9988a7d0f8a9af1b11dcb5c0fe69bfd9ddae0926bb89026e392fad596686b613c6e9c472c4c80ab39d4a10accd2688be666ac176702af92e39e4d22f42aada61c80e17afe9cc42589db11fb5492822235236ab171d0140692b5fac3a8b49b1da6fb758d3fb20779c4c6315cad640cb49b0eb803eed5088a96d519dd3090715bad418dd989838b6891b00ab8563555bb7b598d6f188553758541f568b83869ae3a86910c2a48736a2566fbe1a558b552d86b5b748a248c2c8380d4f6a34770b548bf6554856c4b1d35d5f974585e62aa9ae69bde9d97e79dc74b9e70c6c13a25be438d475db0cb1197c2ba66ca6194afff4759f66db9c1eb166454052df0fc6479342dba39626e4310775dff63810c59e4ce483a43ee7a1ad632ed23992e4e7acf0ee7ab31baac77ebc5385a766bfacfc7e02bd7b46e75783deb1df1ff2ef3e6d3e7e5ab3feaf103dfce55f3186dbfd975f3776bfb2e3dbdfdd4a24d0ef77c32649acb83ebde2d6241b5272381841bca251ede369e1d990e0c0f55f94b9ca7e18a2765e997c72b5624a7d83db5d5b520f8b13605b31651d599281d06ab65c58a86150ae6b8908f07347636bb2f5b135a9cf58f819807a309db1d161fddc6277ba5e7b8cb04aced4e2cb17b7cc1be5f13430c05a2cf0143dc68120a0abb5c3839c0703fed8c0cec9a85efca5d9a56d6de7cd647a568a79a2dc7d635d3496201d7a8c9a52e2204e665590b6cadaec1d1efb19d2cef65107b3a0426818f0db5cd0bd783927aa1339e10fe57ab1962a074c46c228d7bdf800c59808d2185c9f398d25606805690331a05af107e57805e9ec55a7b0baec3e92a790bcb77d9f6a2b2159216421394b0cd194d87c0cf420b91f702b7a9bca898d1137276e330ef364cc24e226e47e7f75937769b3fb28a984afcbc0e7fc9920f445c904f59d7a231ef8ec2b9df20e0fa2f7fb53cfa2b607d1eef9b26773ef19dbcbeb3e11d55c5aba4c7fe8c897c3189cce6150e42af43a7abae8c4c6989869eb1a875ebceb992e8ff990e7b094598f7b4df731bd3ffd19c22cd32f5bf547573f4dbfa7669f79e29ed5797ef633cb3fa315cf49f98822580151587d3f0cc77cbba4cd463e7b821924be8c9aa4d2e01231827dee7c09a26ce68bf835d4c21112557c53d28d37f163c9019e27f3ea0bc9bc07293c614b820b1d6c24e9acf33adce955175ab4702edaa428beba553af6758089c5cb1fd5896f49d034a16b34a9b47950753678e7729325dc9f95a1f2249e06a228c9e7a2798a3633c4fe2634ba21bc96c1a2791a724b2e6b806ad229dc7256b2419d434192e930efeab280335e31394a3e49e2f599942b6cefa7c20a3684d3a94b2a9342e8cb1e238ed66b938dcfd1b718a449b963f4a0531e546b0d41cf143e0649680fe497ba3a15435356d00471daba01ea116ace2bd8017ae87ed06608582afbaecc25c51983d384dc2eb7c03e8623c471641fbb26b70e5b358f36a45a0df160cfb0d0f4dd18b941a2982468bf171b3f447f116b39764e8848af8e319321132865b076d06320a6b575c2068d83a4686a12249de45a84ec65262935ca0d2af77d1c1623624c6edad463e0dd0084e3cc8e84aa837404fb2429a7d467e7bb40744aa09fdbc5d819227cd732b787c7e6c73d796487b56dc87d95c7c7dc69edeb4cee35eb7b87dec7eda63b9414d487e3767f73e6f114923b32a990d27b92d425ef50468d1f9ac6d7491beb7084a66327d1d9c222c4aa9d8548d3b193cbf264ab215ea7108ef9d0c8d05096d04d4f24be8c9aa1b74d528d8e05fb69856168f121b2d19ef35fc4430fb51f7cc28718f49a71f0bb541f3c5e0ebb4d2b3421750126d5244d8b0f50b01898da923a8c6d2ad99b919d88e0fba0c887416c4838b24dd7d59d83716c221b308b9de906fc0d4b0647754b6c4f1ea54f9ae20222cacc31074c860ef761a89dd289d4f378d49a540e2971bc83a0c9848e832d02a62199080069f2596a534ba26aa044301ee062e02e987bfd46fcc641726a364b2661543c7d37343da99046d727df8fed71e6daecacc5779d4048a4959d35991ce09826145e970440aa556c625b9f28887789238aa39a7d2dc9b6a2616c54d403483f9a6628473beb4d330cb5f110672620d967d1663de9050fad66641fcb6eac90bda8a2da1e7f7208c192e044f4264e437992a16b6aa3515e0baf2ad3fbbaebb4e31914d7c427c0ac1b3259c61b73f24a55ea7ae3424e756f8ba415ee612b15623b70d085d3461535d409daa9a8c44f5e32672a35e494080aa854b8454545b284baeb5c8091459d4d2aea946d3f4fdf3d44ff4c45f5998a89eed3c0512c4a4291bf43891a2d1a655612a278d240f2a9ed5ca148d17079a8754da902bfb88869397517843f7a386f941019d45ef72d7c3fb086ac590e9d8088e424274ec6afd05e660e83f370534b2e5b4469345636a7a11e50fb1e0e93c7c7055261ede907c498edd2c9b55da9e831303bcf22ddcb2c914aba7eb8c68a8697d6b897987a6249a9f21d3671fb48a18fd262831451851a32aa614aa7617b6b4b4e5cf2ef27068d3080ee087228d188148c6a0855aa084edaba6923a23931a821b31a2262a7923eadd0b794b64804538a1266360fe196d378ccf25f42e5a27c85811ca6aa3b3c315594609183ba838d3bd3a7e425509d5d0090ea9b41a375c5e24de053b644c47a224d3b962fcb0a3a604842e351b8ddc99a5017b43d159c014603555c80b3cce1942a7ccc9e3f81d499d4e8aeb64496a9abb32e075538dcb4b9251a067889e446059a1b8bfe47bc09ea4b2a59660632f88d211c77947045b00bdb630307200f3177a75a013a057b2f79f15aa40ef6bc84cf63967ac1e72107cb9684d339441349da531e987da0985a8b8b51b71e595fb8b08ebaa37a4e712886452728adf4a03c09f1b63d553dda866a072788961abddd725ed408b5d358e3043b3cca6e8f69f14b985c64378f21f711170eaff8c4ebc883ebc44451202ecaab80a46a87679cad43bec45f1c65886289f601ef83f09fd1490ad1f0541a14713adec3c2b0c88e372d5abef1525e9e3ccebfa23a7f820e671c9a4352b8282d6760cbd1ca79e3c1530e6e494e0cc262531890753d903ce9e0c755e129b55800188458649ee95c40a87090ebde9faa51c419b8732de5062a018f72e8638a7ac1e710777f7e50b729a7443dbf5808846ee5f4d59c32457cca8a58e8e53c06adf1810c2999d48a52b82c2ee4d854a0ff00fb9ec4879a35fee7cdf1487265aa83dccfe3e981d296ee5142c881b83d05ba6650d4302d22e32451e5261ea2f0c73b814c533f40bf4b709cc7c0f3de12cffeefeefc38e57bca52a11fea5a14f02209aef6147803a4a3d4bb384c39a1a8a86d69d4182a118c85e3c8c2502484dca8f5534990125a439f90a7bc459c36eb9dc16a8d8d233872e2d9ea29f47cecb00ef9b8497771fb80690aa7d378826a1e88104fde688b63413815db5e6ad6b360dbd835389e749260109763ad754f9c6009c2b342994f5ea1f22210a425a31deb7223925661af49dd524ec737991a383a924a74bd74a9cb256e15b05a9fa929eb805f59da6b4666a907729c9837439ee29408f839f1cbe851eb160c02b142276ee924ed9d6a096b2c7d28603b0d2a9cf1c6ea1eefaa2fbe84c04a4951d58da15b05f75fa825830ef3d65a4b0024cee73488774167105421b663e67c7038161e970dbf923428e7394bd9f1ee7073d81cf34327a86c5be79430e17db064bba71d6a0c2b8d34a183654e86aaa7f72e7b4ab7c1b6856ef27c43c75187b534247196c188773d6874341d42a7e7754cf8a99ee4405b0af923d55c2b3e37b5f95e82d4916a2df1260197eba5256e1ea4f6d9926f48b689aef84f63aa24e0d16a82195a979e45fba205238c4c7808085f1aebbc85c9ea807ac55f825bdb5338a19a2c5e1435e8d09c0292ce6442044ae684a3273f52c3f711530d93c5b5c344bea4493e644cfb62c1e0715cb14653b6b0a2bf46466d3dc96edab3480ed172360b9036baf54d6c5c8af40270fc63f01b6959337ddf95f6b8678e7fa2c39905a3584e330b7d6c0422a89931d0ad33dd2516df8213139a17a66c008a82006cd049226b8c0c2e663f489489ab439f03599ff9714f7b181e33c9281096c7c705da4c50cdbfd2ef7709fe073e95b01fb99a9fac78e4f9eea7ab8d9f29f493ba7d566a57685f645fdf346ee87a4a4e98579195917d3d12c5301d0428f7c5df973c604bc49293b0e4e48005f1765b59056fe3c466646cfc40da8a9e8c53c4808ea107c899489e0d7d363960754886c080c074dd1ba91db908f28574b149fd656ef6b03459f4dea54c268ad1897d3108645500e031317e488733f6a536a65023bec6a09d026bda969245b37a6b17fe23c5409acc49c386a030f2b49402dbaeb1e42d4f9d7a917a5d4cbd0fd2523bab218def45f70ae1856f10bf29b0a65f48b50de6a72375306931d4b1ea5a9a12e97112135d84c78640a83890d1d141c83a713ffd881d0a60ec6dbdc4fd8f7b0d2428e8b1c151c27e80cf4466909358015d4be8b3b005591087888b9d8c727c23b3a0d00cc1114553f2a7cb0a804dc21b0faf2ba1d0c45886bc2cb10aba12dd260c2052448a0ee6c3f649325fd4970c5abaa338686c05d1a1ac2a838a0c78e79c0d354d6380354981c185276e2b49957533141dc239effe4f1cc4bbdddd3176dbfc21ee8e5ff28132c8a94d5830f9abb9a72fab3b3ec8b3acaa37a5577835e1bede787eea4ab4cedde62773d1f7d75d89ec48bd27263c07e36aad87d6eb1cc62792510f00585ac157eb5f8675899c56847df9cce7d0bbb4fa73782ecfbc1cf6d5cc1743f4f09947b96381e8a2b6ba4ffc39041b213997aff3139d673e0cd6cee7bd68db270299f3d59e729c9f9ff91c7d2fadfedc892fcfaccee4320f5e9af9628856abbf18a21791fe09757e4ed0a795ef32f75299fa82788a2d2210946663c251b9bc31c746abc90fa9433d05734e3f4ba2c59626dfa71e5b8904f94615699b21a747d14942dc79b727956771db48fa51d3b2384e04506437e6275727329f37d12dede75ab799de15bcb91374abc997902203a73c570ff096a8113ff5d81952860e68ee6ab42422f0124f8f2d32bfa2e509c6c7087fe9a94bc03e76024f3c7f06f56347b13cbf22d609eac7287be9a94b503f46e2279e3f83fa595a3f226d240c6aaebfd0da4e7dd6c1e80bebfde50f3c95eee15617b789a8b66ba2f4d52e8bd6b9cc0b7d0231439f98a5e87a82edd25397a82a8137518a0bc4decfed3a3d7f46d540777694f0c5136baffa5396fd2ff2c2b3b8ae9eba0475a6e78fb4818b5464a47a3b8bf4a55d2f416d2d5d01245d08d2484f5c78fed1a3cddcbb0c72958d3c2a09a1a5a76dbbfff8e1882ea28fe02d2d6ec52da7b1df1018b6f45c4853dd280adbfdf1f8e1c26c4d72844b22b4a66b3b6a90d2b473bceb3e1ef67737e3a5bef757e476a53b53f6909b03d7aabe56e18f4abd2dffbf2a3fc78de41eead465e7c5cb4e77b8dd341dbfad7677db6d59fcee48eef1c3967b89e305443a830ee31dbf1f7e7cfd7ebc5128ad4ae595dc66dc666ef831f0f5d7b57a5dab6f5eff85bfc746a42f9bdb5d3e168cb8dc79ddb88affdc83bd2edfaef2dc1433816f7e5bbe1d21956979bbe1ae665d355c8c54e4a8357f3b7efb5aee975ed7a6b24c94eb90725794cb98c44c2ca1e5aaa72c1e98e479a73ccb1f3c404184e575b95eca7c592db091670d25cfd7353fd89a4ba38d5ca9e5a667901d65a5566e8fb6accf0077522d53056056944baa3c2d2868cb8f2048caec6be6b2640b9894fddeef186ad84ebec92eb3276b008d954bbcac31a24fea48d6913500809f23adc00668ae01e0daf128e8ca56b4b954a1dc4895bdb8c154b9a60aec57f366cb9cb295966bc2417083427219569eb976dc5b65cab595fd94108ebff9134c008c77af8da0d43a5905abc55b42305616e0a08e1c1264b9161209e58c908a6fae56542dcb0051632a2fcbd7b6602fdbf22d13f96e78a60527f01212096d05df32bf129ad7720d980901a4b5d09d324ec50e2df0142ac107b56c548e585e00240fca6af26721f20838a8f1b6e0211481d48d6c0c9fb0d6755b0bcd84169c46191528f9837520811cceb557700d43fc590826c72bbc53c85a0bdd144c215358bc9cb8622de11296129ee40da6733d5af86a64866b80e0bf1c7cf906541e80744e1e117c7907b665dbba12c990e5a025d3e1b830e2104054a640a4061ee151c3a3856e0efa3176ade50c0b050002481ad986c205ef707e46a0f6dc44e7b5501aac84380682236006021ba693442e0c281cc764ce4ab84026b079795f6eb423b09ceac84d8c1b802e5c4efbb15ce4965331823f0701d185a10a5f50dae245f9c172e56c39fb822e50411b9165d11b0c0a0f16a4d00ed7450642057ed0082c785f7e7342dc21879a329731480666308ff0da485181920548f54309de40093955385b385fe48645459285b3d9865f602702c1bad7b28fbc102e108a8aca02304082cd58878360d628dbd71c83d09b29c200f06a01dff8ab1fb9748d7e9716fc724ffceb1fae76779fbb7c40696bde2b1f33c0df575ff68763962bdae516b68c14832923c7ed74675b5ef4f18e79bc7dfb29579ff7296fabcdb1fa72d8ef3ecadb9fd1c25353e8dfcbdde78a86b85cc56ff381d154a937e499ab3d2fe196e9fe77550c10c7fd7bea1f5b7857db37d53fed2ad9a08bc7bcddec72b5b9adbec423cfd3de58bdeaf2ed17124ecb0aefef94ea4867bd518d7a27bf6000a01af6878f1b6ec8fff64df547162b088d00f59fe24ee0e9beafbe526f68277c5bb61bf1c9dfdde41eab44d6ed8d4265ed07de8cb7d52b80b8ddefff5ca6de1ee2306c7a06aa8ea5e3912beabf7d5dc55d2a2bc2957dfc0ce6c72a56b30f515610340ab980ea6fbfaf465fe2f54893b8dd56738b732576f3ed041eef0fd5974f9bfe53010a76e5829b9c44f56ddcdee5e3b8d96657eda1daa13a7ee243028eaf0ba0fc715b0d87fd6779b53954fb2fbb1525de4e0054bfabe85f97ddb807c06ee5023783786632c8657806cbdad3860ca2bc38a85bf63e48ab3d42f49b9156d0e3dbf1d2c7bb6a97bfbb7d7ba200209e8ee175f5b772b3bf2addd9afcf26adde7853fd615f95aee6ea13b4fb0cf7a42aeff6771f3fc90943f22a6ee3e1b3ecbdb93d0a826faadf1f8f702213e3c72864d921ad27fe7a5bad9813a9797f67b8245161f67f73811bab571a3b29c7313112bb7d14aaf2510cb7afabaf6ad8a4ba91fba06c2ebcb266b5d7155e0ec42927b090155aafd01a511ac580a777d5ab216e39dbb48132c8caf723d3baea3700f09f22a823946768c0a0cbf2726ad8aa09ad362c68ad8950bd42674d58fdbe3a507a1471e0da44060588aa5768214c11743f6698108116f9454ab690f608cddf54ff26683349702f42f437e51caa9bc3be8bdd668bdf080da647042ef97485377ea69a48cd36a325aaaf9c3f0ddfc13c6513cef1d52c44bf5d8b2a5b0a81e65b4640f24720b8773e36bc69e69dfefae7f38ffb2fc2c945656d10e059142ae35f07b4f7ab42c6db4fc8e5a7fd3661741d7a034b5984071533cbea4a50aa7b877b89bf314acf33382c7491c1c5f43ec1e0f6ff03839fcbe9ebeaf7fff177a87a7a26663e474d21c4a3189d51a37a856b35a1f75338951b1033ffac38b5356ff43cfc533875d16a7f91f83fce5eaf355ec165eec24b78c05d05e4d1ce891e13cd25212af15d2501a5bceeb7913fe422da4586732f6038ff08c351059c4fe482c4d6ee7f93e1fe8089aa8eb7f9e66dc5e7cff4a37d2f66b850416c8a304ff5eabf6f36b768e6ad18a1dde616db23eed3ddb1babefed371bffbefdfbeab3645ff7f5f617f51a91f3f611f0e195f416c10ced01e03dfc5fecf6fc4573ae451bb8b3725d1fdd03bee09d27bca1d06c947964adcfdcebf321868aea0e5868f80e1060b49beb13e481b1a4d34b458513d2ecf975c25cd35966b07fca3503897377fce02027acab771b315c009f08f37e877c902f0f76790ddf4f2820ff0397df84dda88b374b7bdfd5ede1afd2a478e92ee6ec2560a9775f904a059c7cb24449bcf25d07c880bd78e98621b7c596efac1abe35da7c777ebf7dbbbcf7c0e880031dac4317f511cd9f5f0e9136a3e6fbe9b21a3bed9d221489f0c8dc07cb280956d452446a86a2e215118e573a942c36d4880fa25005932606b40a8f6431eae6af029543549a2734068b0a49793bb414e73bb8938e8678382f53e4c0ee548b009181c81f3ad69c8ae03998ed3d78fdfc88ce2a58da7535e8bd808d5be86447cc248daf4f2012d1f3692f061fa2163ddbf27ce97eb40aafd63f10ad47f5d937a1af72f1f6ff5818f81ba9f9f92b96fb52145b5ce4f153f5296a6803d12e32fda94728320f1d7dfd4935d93af97602a731f66e27e02a6eb4d9fc3f497dcb47ca4db0b31d5bfc89902fdb2e90b30fdc536a521ebc5676ade1273fe6cee05d3728be985e4b5bf14232d9bbe80bcbfd8a65cbe7f3179dd33e41db3c63d5a9d8f9713871ba57125c992557a8488f7941ee13adf4e0cdf921d29fe4169b295e1cb29927f2d9fc377ee494992660e374fdef8795c367babb2f22aa1f2739723761c3f716f8e5297eccab7911893e0af39b95daf706d76291e52958860caad4682cf5fd86725e9f56afc484022c7252052c443411c475cd0753c7472c99e714ced9963fa1cd924f21a8386f353a0797776517f1ada17fdca3fed3b09af6f21eb96dcd441fc6bf9b4c68baea304db92c89acc1861b0644048fd905220ef511232975d496e0773cb32735b61bc3523fee5455752ae42f0c188967b9aede973d0e813a3f3997635d77245175774e54a7a4d1faea629766a02fe190b08832faea4d49078fd4028bff9f17f0024b3697d');
INSERT INTO public.deployment VALUES (1, 'flights', 1, '8a974bd81635189e98712eeca2023e34ef7ba66f970e1f3f0f073644dd4840c5', '2026-11-26 20:46:12.771811+00', '2026-12-02 04:33:36.442105+00', 'UTC', '1 per 365 windows', '0x1.6d00000000000p+8', '1 per 30 windows', '0x1.e000000000000p+4', '[{"metric": "error", "slice": "", "windows": 7, "rise": "0x1.74f4b1e6e22adp-4"}, {"metric": "error", "slice": "", "windows": 30, "rise": "0x1.80a4cb80d8b79p-5"}, {"metric": "error", "slice": "", "windows": 90, "rise": "0x1.c4e1f35935452p-6"}, {"metric": "brier", "slice": "", "windows": 7, "rise": "0x1.279e16493c017p-4"}, {"metric": "brier", "slice": "", "windows": 30, "rise": "0x1.30e1ba46ab131p-5"}, {"metric": "brier", "slice": "", "windows": 90, "rise": "0x1.66f8606b11d9ap-6"}]', '[{"level": "page", "watch": "error", "slice": "", "mean": "0x1.1396062d2f9fdp-3", "deviation": "0x1.eca81df238442p-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "brier", "slice": "", "mean": "0x1.b1fda69103bd0p-4", "deviation": "0x1.4755cfd8db9bfp-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_error", "slice": "", "mean": "0x1.9b7db973e4000p-13", "deviation": "0x1.e0c1ad22c22c8p-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_brier", "slice": "", "mean": "0x1.7b2dfe5773000p-12", "deviation": "0x1.3de29180d78b9p-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "rank:late", "slice": "", "mean": "0x1.044a981eea49ap-2", "deviation": "0x1.f7ec89fd54850p-5", "tolerance": "0x1.0eb3fa5d977fcp-5", "windows": 19, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_rank:late", "slice": "", "mean": "0x1.c4c993c815000p-9", "deviation": "0x1.8a67a085059dbp-4", "tolerance": "0x1.0eb3fa5d977fcp-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_error", "slice": "", "mean": "0x1.1396062d2f9fdp-3", "deviation": "0x1.eca81df238442p-5", "tolerance": "0x1.1396062d2f9fdp-4", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_brier", "slice": "", "mean": "0x1.b1fda69103bd0p-4", "deviation": "0x1.4755cfd8db9bfp-5", "tolerance": "0x1.b1fda69103bd0p-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_rank:late", "slice": "", "mean": "0x1.044a981eea49ap-2", "deviation": "0x1.f7ec89fd54850p-5", "tolerance": "0x1.044a981eea49ap-3", "windows": 19, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "residual:late", "slice": "", "mean": "0x1.9b7db973e4000p-13", "deviation": "0x1.e0c1ad22c22c8p-5", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "calibration_slope", "slice": "", "mean": "0x1.c2d0996260000p-13", "deviation": "0x1.8b15ff06379e7p-5", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "estimated_error", "slice": "", "mean": "0x1.132b9d0755555p-3", "deviation": "0x1.4aec3c8cbeaccp-6", "tolerance": "0x1.47ae147ae147bp-6", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "estimated_brier", "slice": "", "mean": "0x1.b079cb1c3fb73p-4", "deviation": "0x1.1111111111111p-6", "tolerance": "0x1.5077f524bdeeap-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "unusable_answers", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-6", "tolerance": "0x1.47ae147ae147bp-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "missing:temp", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-6", "tolerance": "0x1.47ae147ae147bp-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "missing:origin", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-6", "tolerance": "0x1.47ae147ae147bp-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "unseen:origin", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-6", "tolerance": "0x1.47ae147ae147bp-7", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "error", "slice": "origin=EWR", "mean": "0x1.f0f219a212933p-5", "deviation": "0x1.73278f43b3732p-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "brier", "slice": "origin=EWR", "mean": "0x1.c9e2dd6421e11p-5", "deviation": "0x1.3711fb2a1055ep-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_error", "slice": "origin=EWR", "mean": "0x1.3c4e55b330000p-11", "deviation": "0x1.68327f3ca833cp-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_brier", "slice": "origin=EWR", "mean": "0x1.5e2b1db1de800p-11", "deviation": "0x1.2d76224acda0bp-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_error", "slice": "origin=EWR", "mean": "0x1.f0f219a212933p-5", "deviation": "0x1.73278f43b3732p-5", "tolerance": "0x1.f0f219a212933p-6", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_brier", "slice": "origin=EWR", "mean": "0x1.c9e2dd6421e11p-5", "deviation": "0x1.3711fb2a1055ep-5", "tolerance": "0x1.c9e2dd6421e11p-6", "windows": 32, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "error", "slice": "origin=JFK", "mean": "0x1.b01f4165cfc1fp-3", "deviation": "0x1.e2183a0313418p-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "brier", "slice": "origin=JFK", "mean": "0x1.42ee39dde19a6p-3", "deviation": "0x1.1a6dd51225e04p-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_error", "slice": "origin=JFK", "mean": "-0x1.13be1fab57a00p-9", "deviation": "0x1.f125a87cc48c6p-5", "tolerance": "0x1.47ae147ae147bp-6", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "surprise_brier", "slice": "origin=JFK", "mean": "-0x1.4c887edfe1000p-10", "deviation": "0x1.1abdd95b1b563p-5", "tolerance": "0x1.5077f524bdeeap-7", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_error", "slice": "origin=JFK", "mean": "0x1.b01f4165cfc1fp-3", "deviation": "0x1.e2183a0313418p-5", "tolerance": "0x1.999999999999ap-4", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "page", "watch": "material_brier", "slice": "origin=JFK", "mean": "0x1.42ee39dde19a6p-3", "deviation": "0x1.1a6dd51225e04p-5", "tolerance": "0x1.42ee39dde19a6p-4", "windows": 31, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "label:late", "slice": "", "mean": "0x1.1396062d2f9fdp-3", "deviation": "0x1.e96d5de0243d2p-5", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "output:late", "slice": "", "mean": "0x1.f93017aaf1357p-4", "deviation": "0x1.1111111111111p-6", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "output:confidence", "slice": "", "mean": "0x1.c0d9fd66f8093p-1", "deviation": "0x1.1111111111111p-6", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "input:temp:location", "slice": "", "mean": "0x1.0000000000000p-1", "deviation": "0x1.b54ea42191960p-5", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "input:temp:spread", "slice": "", "mean": "0x1.ffffffffe26b0p-2", "deviation": "0x1.d1e68e4ac3ffbp-5", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "input:origin=EWR", "slice": "", "mean": "0x1.068acf13579bdp-1", "deviation": "0x1.c6a2710f8cd43p-4", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "input:origin=JFK", "slice": "", "mean": "0x1.f2ea61d950c85p-2", "deviation": "0x1.c6a2710f8cd43p-4", "tolerance": "0x0.0p+0", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "joint", "slice": "", "mean": "0x1.023722c728354p-1", "deviation": "0x1.dd83435b4ea16p-5", "tolerance": "0x0.0p+0", "windows": 59, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:score=lowest", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:score=low", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:score=high", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:score=highest", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:origin=EWR", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}, {"level": "notice", "watch": "labelled:origin=JFK", "slice": "", "mean": "0x0.0p+0", "deviation": "0x1.1111111111111p-5", "tolerance": "0x1.999999999999ap-5", "windows": 60, "cycle": "", "gain": "0x1.0000000000000p+0"}]', 'flights', 'traffic', NULL, NULL, '2026-12-02 04:33:36.442105+00', '2013-04-18 06:00:00+00', 'fd48da85e98cb0714480404f91f7df2879d83440380aa4e720ec7e303f8efae1', '0082cd245841479fefd2001629982791f4a1b1c3132ba612b2d4ca20e79477ba', 'f4ae5859e77d741b3a9b1828205c44787a6f2f92153aba4529adda91d28995da', NULL, '[]', '[{"metric": "log_loss", "rows": 1800, "value": 0.347980555510224, "low": 0.3202167438233984, "high": 0.3757443671970496}, {"metric": "auc", "rows": 1798, "value": 0.7559164157758714, "low": 0.720349311526297, "high": 0.7914835200254459}, {"metric": "f1", "rows": 1798, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 1798, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 1800, "value": 0.1266117217514612, "low": 0.11734034512653974, "high": 0.13588309837638268}]', NULL, '');
INSERT INTO public.deployment VALUES (2, 'parcels', 1, 'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', '2013-04-01 00:00:00+00', '2013-04-10 00:00:00+00', 'America/New_York', '1 per 365 windows', 'inf', '1 per 30 windows', '0x1.e000000000000p+4', '[]', '[]', 'parcels', 'live/*.parquet', NULL, NULL, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '', '', 'new', '2013-04-04 00:00:00+00', '[]', '[]', '2013-04-11 00:00:00+00', 'replaced');
INSERT INTO public.deployment VALUES (3, 'parcels', 1, 'efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef', '2013-04-11 00:00:00+00', '2013-04-11 00:00:00+00', 'America/New_York', '1 per 365 windows', '0x1.6d00000000000p+8', '1 per 30 windows', '0x1.e000000000000p+4', '[{"metric": "brier", "slice": "", "windows": 7, "rise": "0x1.999999999999ap-4"}, {"metric": "error", "slice": "", "windows": 7, "rise": null}, {"metric": "error", "slice": "a", "windows": 7, "rise": "inf"}]', '[{"level": "page", "watch": "brier", "slice": "", "mean": "0x1.999999999999ap-4", "deviation": "0x1.5555555555555p-2", "tolerance": "-0x0.0p+0", "windows": 90, "cycle": "", "gain": "inf"}]', 'parcels', 'live/*.parquet', 2, '2013-04-04 00:00:00+00', NULL, NULL, '', '', 'third', NULL, '[]', '[{"metric": "brier", "rows": 7, "value": 0.2, "low": 0.1, "high": 0.3}]', NULL, '');
INSERT INTO public.drill VALUES (1, 'flights', 3, 'abababababababababababababababababababababababababababababababab', '2026-03-01 12:00:00+00', 'ada', '0.1.0', 7, 'traffic', 40, '2026-03-01 12:00:00+00', '2026-03-01 12:00:00+00', 28, 30, 1, 0, 2, '[{"fault": "renamed", "title": "renamed category", "reason": "needs a category"}]');
INSERT INTO public.drill_result VALUES (1, 0, 'unit', 'number times 100', 'multiplies', 'inputs', 'page', true, 1, 1, 2, 'out of range', '[{"replicate": 0, "column": "temp", "level": "page", "delay": 2, "watch": "schema", "slice": "", "cause": "out of range", "named": "", "nearest": ""}]');
INSERT INTO public.drill_result VALUES (1, 1, 'labels-wrong-5', '5 % of labels wrong', 'changes', 'labels', 'page', false, 1, 0, NULL, '', '[{"replicate": 0, "column": "", "level": null, "delay": null, "watch": "", "slice": "", "cause": "", "named": "", "nearest": ""}]');
INSERT INTO public.fleet_member VALUES (2, 'blue', '1 per year', '0x1.999999999999ap-4', false, '0x1.aaaaaaaaaaaaap+0', '2013-04-06 00:00:00+00');
INSERT INTO public.fleet_page VALUES (1, 'blue', 2, '2013-04-05 00:00:00+00', '1 per year', 'inf', '[[2, "0x1.999999999999ap-4"], [1, "inf"]]');
INSERT INTO public.incident VALUES (1, 1, 'page', 'worse', '2013-04-09 00:00:00+00', '2013-04-08 00:00:00+00', '2013-04-09 00:00:00+00', 'error', '', 'the model is wrong', 'Error rate averaged 0.858 over 3 windows since 6 April 2013. In the baseline it was 0.135 (between windows ± 0.060; 0.020 is forgiven). The error rate changed by +0.724: the model expected -0.012 of that (it took the traffic to be easier), and +0.736 came as a surprise (it was wrong). By origin, over all labelled rows: +0.724, of which -0.026 because values came in other shares, the rest from their own error rate: origin = EWR +0.425, origin = JFK +0.212, other values +0.113. It carries 26% of the evidence; next: surprise in error rate, Brier score, surprise in Brier score. No input has moved enough for an alarm of its own. Assessed again on 9 April 2013: Error rate 13 → 84 % since 6 April 2013 (160 rows). The largest part, +40.0 points of the error rate, comes from origin = EWR. No input moved since then (false discovery rate 5 %). Worse since: Error rate at origin = JFK 21 → 79 % since 9 April 2013 (43 rows). A rise by more than 10.0 points is a page whatever explains it. Of this the model''s own probabilities explain −0.8 points and leave +58.8 points unexplained (surprise): the model is overconfident. The largest part, +39.6 points of the error rate, comes from origin = EWR. No input moved since then (false discovery rate 5 %). How sure it is: evidence 28,963 (page threshold 365), 16 % of it from the error rate at origin = JFK. Assessed again on 11 April 2013: Error rate 13 → 85 % since 6 April 2013 (240 rows). The largest part, +43.0 points of the error rate, comes from origin = EWR. No input moved since then (false discovery rate 5 %). Worse since: Error rate 13 → 84 %, AUC 0.746 → 0.292 since 11 April 2013 (80 rows). Of this the model''s own probabilities explain −1.8 points and leave +72.1 points unexplained (surprise): the model is overconfident. No input moved since then (false discovery rate 5 %). How sure it is: evidence 2,150 (page threshold 365), 51 % of it from the unexpected part of ranking loss of class late. Assessed again on 15 April 2013: Error rate 13 → 88 % since 6 April 2013 (400 rows). The largest part, +45.0 points of the error rate, comes from origin = EWR. No input moved since then (false discovery rate 5 %). Next step: check the labels of its rows (`pitfalls monitor status --json`); if they are right, retrain or roll back.', '0x1.fc5cf902c35f8p-2 0x1.a666666666666p-1 0x1.936a70ab2be1fp-1 -0x1.9fde19ae012e8p-2 -0x1.78e3606060ac3p+1 0x1.936a70ab2be1fp-1 -0x1.9fde19ae012e8p-2 -0x1.78e3606060ac3p+1', NULL, NULL, '{"split": {"metric": "error", "difficulty": -0.012579432012945646, "surprise": 0.7630159399494536}, "parts": [{"metric": "error", "column": "origin", "slice": "origin=EWR", "mix": -0.003977719928306783, "loss": 0.449953954496208}, {"metric": "error", "column": "origin", "slice": "origin=JFK", "mix": -0.004760122189844729, "loss": 0.27534777651083236}, {"metric": "error", "column": "origin", "slice": "other values", "mix": 0.0, "loss": 0.006491666666666666}], "inputs": [], "rows": [{"prediction_id": "replay-20130407T221200Z-0:0", "event_time": "2013-04-07T22:12:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130407T221200Z-0:1", "event_time": "2013-04-07T22:12:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T000000Z-0:0", "event_time": "2013-04-08T00:00:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T000000Z-0:1", "event_time": "2013-04-08T00:00:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T011200Z-0:0", "event_time": "2013-04-08T01:12:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T011200Z-0:1", "event_time": "2013-04-08T01:12:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T022400Z-0:0", "event_time": "2013-04-08T02:24:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T030000Z-0:0", "event_time": "2013-04-08T03:00:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T030000Z-0:1", "event_time": "2013-04-08T03:00:00+00:00", "score": 1.0}, {"prediction_id": "replay-20130408T052400Z-0:0", "event_time": "2013-04-08T05:24:00+00:00", "score": 1.0}]}', '[["2013-04-09T00:00:00+00:00", "open"], ["2013-04-11T00:00:00+00:00", "worse"], ["2013-04-13T00:00:00+00:00", "worse"]]', NULL, '', NULL, false, '');
INSERT INTO public.incident VALUES (1, 2, 'notice', 'open', '2013-04-11 00:00:00+00', '2013-04-10 00:00:00+00', '2013-04-11 00:00:00+00', 'label:late', '', 'Labels of class late 13 → 85 % since 9 April 2013 (80 rows)', 'Labels of class late 13 → 85 % since 9 April 2013 (80 rows). Windows of the baseline vary by 6.0 points (standard deviation). No input moved since then (false discovery rate 5 %). How sure it is: evidence 39 (notice threshold 30), 98 % of it from the labels of class late. Assessed again on 13 April 2013: Labels of class late 13 → 86 % since 9 April 2013 (200 rows). No input moved since then (false discovery rate 5 %). Next step: check the job that delivers labels; if they are right, what is predicted has become another.', '0x1.f818b4be7f1b4p-2 0x1.a666666666666p-1 0x1.71bb5a737c971p-1 -0x1.a36631321577ep-2 -0x1.78e36081d921ep+1 0x1.71bb5a737c971p-1 -0x1.a36631321577ep-2 -0x1.78e36081d921ep+1', NULL, NULL, NULL, '[["2013-04-11T00:00:00+00:00", "open"]]', NULL, '', NULL, false, '');
INSERT INTO public.incident VALUES (2, 1, 'page', 'closed', '2013-04-02 06:00:00+00', '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 'surprise_brier', 'origin=EWR', 'the model is wrong', 'Brier rose from .146 to .203.', '', '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '{"split": {"metric": "brier", "difficulty": -0.25, "surprise": 0.5}, "parts": [], "inputs": [], "rows": []}', '[["2013-04-02T06:00:00+00:00", "open"], ["2013-04-10T00:00:00+00:00", "acknowledged"], ["2013-04-10T00:00:00+00:00", "closed"]]', NULL, '', '2013-04-12 00:00:00+00', false, 'acknowledged');
INSERT INTO public.incident_action VALUES (2, 1, 0, '2013-04-10 00:00:00+00', 'operator', 'acknowledge', '', NULL, false);
INSERT INTO public.incident_action VALUES (2, 1, 1, '2013-04-10 00:00:00+00', 'operator', 'snooze', '', '2013-04-12 00:00:00+00', false);
INSERT INTO public.incident_action VALUES (2, 1, 2, '2013-04-10 00:00:00+00', 'ada', 'close', 'New baseline: new prices', NULL, false);
INSERT INTO public.lease VALUES (2, 'owner', '2013-04-10 00:01:00+00');
INSERT INTO public.level_state VALUES (1, 'page', '{"windows": 5, "watches": [["brier", "", "0x1.776193a2641eap+0 0x1.07fc0b9723ae2p+0 -0x1.4701ac499f0d0p+0 0x1.8728469b61cbap+0 0x1.0b39855e6e340p+0 -0x1.083fcf5628400p+1;0x1.2e1f29616a240p+1 0x1.6a4c5e12646dap+1 0x1.153b928b5e4c7p+2;4;0x1.5280c5eac0000p-1"], ["brier", "origin=EWR", "-0x1.8acdbd0e64acap+1 -0x1.43812e28ea87dp+2 -0x1.02e776ef0732bp+3 -0x1.99818fe05b4dep+0 -0x1.1329135f972aap+2 -0x1.3f8551cf12f94p+3;-0x1.0c7a951de95e7p-1 -0x1.e07d6fb6e75c2p-1 -0x1.68c12bc0ce750p+0;3;0x1.646ad0de9999ap-1"], ["brier", "origin=JFK", "0x1.0b31304aae37ep+2 0x1.45d0ef9c434dcp+2 0x1.5a6486fb164a7p+2 0x1.5af7240eccaf6p+1 0x1.22e67dc7935f0p+2 0x1.bc9f56ef68566p+2;0x1.b8b90bfbe8e7cp+1 0x1.2c465756ecc49p+2 0x1.815e59c965376p+2;2;0x1.484e2bde10000p-1"], ["calibration_slope", "", "-0x1.5f6068c88cce8p+1 -0x1.28f6684d12355p+2 -0x1.74b7bd0f87b3ep+3 -0x1.04d82b604ab02p+1 -0x1.e98068216c7d4p+1 -0x1.2fc36d061a566p+3 -0x1.ff7ddce218c7ap+0 -0x1.1f48f8d033f1ap+2 -0x1.3fffa0c98b852p+3 -0x1.69db98ea1d15fp+0 -0x1.fffa73d2a7daep+1 -0x1.3b7c90ee08e76p+3;0x1.bb4b5ad03dc53p+1 0x1.2bf9003aab0bbp+2 0x1.11ecd165616a3p+3 0x1.83cd43f4501d6p-2 0x1.1ed51b223e919p-2 0x1.7e64104d3f85cp-2;4;0x1.d7695fe300000p-2"], ["error", "", "0x1.ff05f1ba43e5cp+0 0x1.cbf6cd6261424p+0 0x1.1b26667e533b0p-2 0x1.d2c0532e4a0c8p+0 0x1.ae22d40a6a74fp+0 -0x1.d52d8ddffe848p-1;0x1.3a056db8426f4p+1 0x1.77612ff428d16p+1 0x1.1a31f29c4ae83p+2;4;0x1.a666666666666p-1"], ["error", "origin=EWR", "-0x1.7c33ef99326b7p+1 -0x1.40098364210e6p+2 -0x1.02c84bb15c33dp+3 -0x1.842166b428228p+0 -0x1.0dbc259ed4c39p+2 -0x1.3ef09a7f61652p+3;-0x1.f4d5320a0b826p-3 -0x1.0d68db0e8ac95p-1 -0x1.a35b1bb5948f7p-1;3;0x1.999999999999ap-1"], ["error", "origin=JFK", "0x1.ceba71cdf848cp+1 0x1.0aaaf1221ef68p+2 0x1.22e6dfc747b56p+2 0x1.0ef4144bea322p+1 0x1.a596667cfe3aep+1 0x1.181c7003fdfc8p+2;0x1.94505a26f6b27p+1 0x1.ff58d2c7ada76p+1 0x1.3edf4f1328e4ap+2;2;0x1.d000000000000p-1"], ["estimated_brier", "", "-inf -inf -inf;-inf -inf -inf;0;-"], ["estimated_error", "", "-inf -inf -inf -inf -inf -inf;-inf -inf -inf;0;-"], ["material_brier", "", "-0x1.6006c0560ffebp+0 -0x1.528438756bc87p+1 -0x1.a5941bd395853p+2 -0x1.b7b055b7467a0p-3 -0x1.207f9ad520d17p+1 -0x1.c78302cb3fb3dp+2;-inf -inf -inf;0;0x1.5280c5eac0000p-1"], ["material_brier", "origin=EWR", "-0x1.9fc4b04ba1803p+1 -0x1.4b35bb2cdd81fp+2 -0x1.0594c6f198ef6p+3 -0x1.c2b842c5ac368p+0 -0x1.19d129688e7b5p+2 -0x1.3fe3c371f3fd7p+3;-inf -inf -inf;0;0x1.646ad0de9999ap-1"], ["material_brier", "origin=JFK", "0x1.1b43591db4e1bp+0 0x1.127e7ace98edfp+0 0x1.e63d034d55804p-1 0x1.92a162ced5ef1p-1 0x1.fd0ff3719aeb4p-2 -0x1.282e67ffe5456p+0;-inf -inf -inf;0;0x1.484e2bde10000p-1"], ["material_error", "", "-0x1.370e9a2a6b858p-1 -0x1.ad7367d478747p+0 -0x1.4a1b5863bea98p+2 0x1.0101f08474778p-2 -0x1.762748ef1bbeap+0 -0x1.7e015118cd4b0p+2;-inf -inf -inf;0;0x1.a666666666666p-1"], ["material_error", "origin=EWR", "-0x1.8fa08abc0e347p+1 -0x1.4675bd2c06ba6p+2 -0x1.0452e1e354384p+3 -0x1.aed18982bd084p+0 -0x1.1663330e0c8d0p+2 -0x1.3fb82759e68f3p+3;-0x1.f4d5320a0b826p-3 -0x1.0d68db0e8ac95p-1 -0x1.a35b1bb5948f7p-1;3;0x1.999999999999ap-1"], ["material_error", "origin=JFK", "0x1.e9d02a771bb38p-1 0x1.c5e00772e3fb4p-1 0x1.6e14f3cabcedep-1 0x1.68d7f12370ac4p-1 0x1.559fd7c124c8ep-2 -0x1.8403557fa6c7cp+0;-inf -inf -inf;0;0x1.d000000000000p-1"], ["material_rank:late", "", "-0x1.9a026f6b1b4d4p+1 -0x1.408ad1d38610ep+2 -0x1.f113f824fcd75p+2;-inf -inf -inf;0;0x1.fa109735364d9p-2"], ["missing:origin", "", "0x1.1f83d1cc36586p-2 -0x1.6f0e433736530p-5 -0x1.aae06f095aecfp-1;-inf -inf -inf;0;0x0.0p+0"], ["missing:temp", "", "0x1.1f83d1cc36586p-2 -0x1.6f0e433736530p-5 -0x1.aae06f095aecfp-1;-inf -inf -inf;0;0x0.0p+0"], ["rank:late", "", "-0x1.cb779cf442b84p+0 -0x1.54889294d96c4p+1 -0x1.ed2e6c3a1d0fbp+1;-0x1.21df71a104c6ap-3 -0x1.074660781bc94p-1 -0x1.f3116bc0ef519p-1;4;0x1.fa109735364d9p-2"], ["residual:late", "", "0x1.cca8e1bf5f9c8p+0 0x1.7f5840ea7c500p+0 -0x1.3ab66dbd34c78p-2 -0x1.41c8f83f0de0fp+1 -0x1.0870acc9aa34bp+2 -0x1.230feb8ff8caap+3 0x1.bbc6eec9bdbeep+0 0x1.78eb9e19642d8p+0 -0x1.4f030c5a2f5d2p+0 -0x1.ff7ddce218c7ap+0 -0x1.1f48f8d033f1ap+2 -0x1.3fffa0c98b852p+3;0x1.317f839b22b28p+1 0x1.6b079db346078p+1 0x1.0ddf631c328c3p+2 0x1.36904622f3626p+0 0x1.5ce9733a738f7p+0 0x1.07f200c9a84d6p+1;4;0x1.b3f84f148cccdp-1"], ["surprise_brier", "", "0x1.34edd3c3c9380p+0 0x1.4e7a9ab9b81b8p-1 -0x1.c809e88d79372p+0 0x1.6a89be5428992p+0 0x1.a532f168f2268p-1 -0x1.1ad6668a9576ap+1;0x1.357db0ee96c55p+1 0x1.7c7d3e95c8240p+1 0x1.3247855d36a5dp+2;4;0x1.905a1a050cccdp-1"], ["surprise_brier", "origin=EWR", "-0x1.90ed92acb7dd0p+1 -0x1.49c7c2cdab679p+2 -0x1.06ebb2cbf396dp+3 -0x1.b2eb1bd85e08bp+0 -0x1.17c5a4745d2a5p+2 -0x1.3fcf16d89e3bep+3;-0x1.cc959461d5b3fp-1 -0x1.7894fd7d5e46bp+0 -0x1.121786a65da82p+1;3;0x1.a3d62ccb80000p-1"], ["surprise_brier", "origin=JFK", "0x1.071da6b8c1224p+2 0x1.4ec4838ef76adp+2 0x1.64fd851793bdap+2;0x1.b8b90bfbe8e7cp+1 0x1.340b8588dc75cp+2 0x1.8ec3b74ea8461p+2;2;0x1.7ee6464660000p-1"], ["surprise_error", "", "0x1.cca8e1bf5f9c8p+0 0x1.7f5840ea7c500p+0 -0x1.3ab66dbd34c78p-2 0x1.bbc6eec9bdbeep+0 0x1.78eb9e19642d8p+0 -0x1.4f030c5a2f5d2p+0;0x1.317f839b22b28p+1 0x1.6b079db346078p+1 0x1.0ddf631c328c3p+2;4;0x1.b3f84f148cccdp-1"], ["surprise_error", "origin=EWR", "-0x1.8665fbc38a364p+1 -0x1.48e96fbca2d19p+2 -0x1.0812e7055eda5p+3 -0x1.9fe54765fbd7cp+0 -0x1.13f18fcc4ad4fp+2 -0x1.3f8fc252a3048p+3;-0x1.49d288e44bc6bp-1 -0x1.15d402aa383fdp+0 -0x1.93bc4c85de74bp+0;3;0x1.bd37e6d7ccccdp-1"], ["surprise_error", "origin=JFK", "0x1.cb400ee84c0ecp+1 0x1.06e0d3369833cp+2 0x1.210cce56fa648p+2 0x1.0e8f7b6351d69p+1 0x1.a3a5adc891546p+1 0x1.157fd77804862p+2;0x1.969e076c9bb95p+1 0x1.f840b78bcac8bp+1 0x1.3997a0f26619fp+2;2;0x1.b70b946800000p-1"], ["surprise_rank:late", "", "-0x1.a352321cc9048p+0 -0x1.a6401f0957162p+1 -0x1.1655b8cec9ba8p+3 -0x1.2cb2ed5dd5313p+0 -0x1.cac398f11b456p+1 -0x1.2d0dd477dda47p+3;0x1.ffa36439bee48p-1 0x1.363e4c83721f3p+0 0x1.05e1b55394e66p+1;4;0x1.2f4dd0399999ap-1"], ["unseen:origin", "", "0x1.1f83d1cc36586p-2 -0x1.6f0e433736530p-5 -0x1.aae06f095aecfp-1;-inf -inf -inf;0;0x0.0p+0"], ["unusable_answers", "", "0x1.1f83d1cc36586p-2 -0x1.6f0e433736530p-5 -0x1.aae06f095aecfp-1;-inf -inf -inf;0;0x0.0p+0"]], "pending": [["brier", "", 3, 11697098047], ["brier", "origin=EWR", 3, 11697098047], ["calibration_slope", "", 3, 5251328429], ["error", "", 3, 12884901888], ["error", "origin=EWR", 3, 12884901888], ["material_brier", "", 3, 11697098047], ["material_brier", "origin=EWR", 3, 11697098047], ["material_error", "", 3, 12884901888], ["material_error", "origin=EWR", 3, 12884901888], ["material_rank:late", "", 3, 9528597213], ["rank:late", "", 3, 9528597213], ["residual:late", "", 3, 12637182724], ["surprise_brier", "", 3, 12052281674], ["surprise_brier", "origin=EWR", 3, 12052281674], ["surprise_error", "", 3, 12637182724], ["surprise_error", "origin=EWR", 3, 12637182724], ["surprise_rank:late", "", 3, 9348086107]], "memories": [["brier", "", "0x0.0p+0"], ["brier", "origin=EWR", "0x0.0p+0"], ["brier", "origin=JFK", "0x0.0p+0"], ["calibration_slope", "", "0x0.0p+0"], ["error", "", "0x0.0p+0"], ["error", "origin=EWR", "0x0.0p+0"], ["error", "origin=JFK", "0x0.0p+0"], ["estimated_brier", "", "0x0.0p+0"], ["estimated_error", "", "0x0.0p+0"], ["material_brier", "", "0x0.0p+0"], ["material_brier", "origin=EWR", "0x0.0p+0"], ["material_brier", "origin=JFK", "0x0.0p+0"], ["material_error", "", "0x0.0p+0"], ["material_error", "origin=EWR", "0x0.0p+0"], ["material_error", "origin=JFK", "0x0.0p+0"], ["material_rank:late", "", "0x0.0p+0"], ["missing:origin", "", "0x0.0p+0"], ["missing:temp", "", "0x0.0p+0"], ["rank:late", "", "0x0.0p+0"], ["residual:late", "", "0x0.0p+0"], ["surprise_brier", "", "0x0.0p+0"], ["surprise_brier", "origin=EWR", "0x0.0p+0"], ["surprise_brier", "origin=JFK", "0x0.0p+0"], ["surprise_error", "", "0x0.0p+0"], ["surprise_error", "origin=EWR", "0x0.0p+0"], ["surprise_error", "origin=JFK", "0x0.0p+0"], ["surprise_rank:late", "", "0x0.0p+0"], ["unseen:origin", "", "0x0.0p+0"], ["unusable_answers", "", "0x0.0p+0"]], "offsets": [["brier", "", "0x1.36eb908ac0eabp-1"], ["brier", "origin=EWR", "0x1.abb91c2d3d832p-1"], ["brier", "origin=JFK", "0x1.90ad3067daab8p-2"], ["calibration_slope", "", "-0x1.a1bee035d432fp-5"], ["error", "", "0x1.7dad117ec62a5p-1"], ["error", "origin=EWR", "0x1.e1e08f010eecap-1"], ["error", "origin=JFK", "0x1.2b5d119794d7cp-1"], ["material_brier", "", "0x1.36eb908ac0eabp-1"], ["material_brier", "origin=EWR", "0x1.abb91c2d3d832p-1"], ["material_brier", "origin=JFK", "0x1.90ad3067daab8p-2"], ["material_error", "", "0x1.7dad117ec62a5p-1"], ["material_error", "origin=EWR", "0x1.e1e08f010eecap-1"], ["material_error", "origin=JFK", "0x1.2b5d119794d7cp-1"], ["material_rank:late", "", "0x1.54bfe98d6d05bp-2"], ["rank:late", "", "0x1.54bfe98d6d05bp-2"], ["residual:late", "", "0x1.864356b3113e9p-2"], ["surprise_brier", "", "0x1.3cd2b5239e3a3p-2"], ["surprise_brier", "origin=EWR", "0x1.b2cb65f5996d9p-2"], ["surprise_brier", "origin=JFK", "0x1.9714a8fc28594p-3"], ["surprise_error", "", "0x1.864356b3113e9p-2"], ["surprise_error", "origin=EWR", "0x1.ea5506e5aba10p-2"], ["surprise_error", "origin=JFK", "0x1.334e28d7fe5d0p-2"], ["surprise_rank:late", "", "0x1.e5729c13d83ddp-4"]], "log_scale": "0x1.013327057de91p+0", "loss_log_scale": "0x1.149cc6797c13ap-1"}');
INSERT INTO public.level_state VALUES (1, 'notice', '{"windows": 7, "watches": [["estimated_brier", "", "-0x1.98c13d6b9afc8p-3 -0x1.ccef15e309c6bp-1 -0x1.59de55a7b8cfdp+1;0x1.7a383569c2b68p+0 0x1.708c8a0c72120p+0 0x1.86c4d8a1383d8p+0;6;0x1.7b291fb200000p-4"], ["estimated_error", "", "-0x1.4ca8939cbaec9p-1 -0x1.6cc9f67356d6fp+0 -0x1.c00861ba0d7d2p+1 0x1.0cc1b2bddf5bcp-3 -0x1.5d93feaaf2d34p+0 -0x1.09226ba79a0c4p+2;0x1.63f71ec3fb0f3p+0 0x1.582d1dac9109cp+0 0x1.739f60f711914p+0;6;0x1.d830508e66666p-4"], ["input:origin=EWR", "", "0x1.c3fc8bc59abfep+0 0x1.6b4602f3923fbp+0 0x1.3d231b707ba20p-3 0x1.b74beb5fa4ce0p-6 -0x1.37a775f291d42p-1 -0x1.05931e263b716p+1;0x1.1b30aec0007bcp+1 0x1.3dd152c08a669p+1 0x1.c5b92849f2f01p+1 0x1.c537182585bccp+0 0x1.d3832fa81a3c5p+0 0x1.0e737e05afbb3p+1;6;0x1.199999999999ap-1"], ["input:origin=JFK", "", "0x1.b74beb5fa4e40p-6 -0x1.37a775f291d39p-1 -0x1.05931e263b712p+1 0x1.c3fc8bc59abfap+0 0x1.6b4602f3923ffp+0 0x1.3d231b707ba18p-3;0x1.c537182585bcdp+0 0x1.d3832fa81a3c7p+0 0x1.0e737e05afbb4p+1 0x1.1b30aec0007bcp+1 0x1.3dd152c08a668p+1 0x1.c5b92849f2f01p+1;6;0x1.ccccccccccccdp-2"], ["input:temp:location", "", "0x1.04dada63c5340p-6 -0x1.3d5a61b7ae1f1p-1 -0x1.3583c28cace1cp+1 0x1.20ab843bef64ep+1 0x1.e164ab1d26bc8p+0 -0x1.0292d1ee06500p-5;0x1.4a07d6c489245p+0 0x1.1fd991f386f30p+0 0x1.5cc920d4ee430p-1 0x1.2f7ea24d875bep+1 0x1.4ccc6726eabb8p+1 0x1.aa6e01ba4fc22p+1;6;0x1.ec02bb0ce6666p-2"], ["input:temp:spread", "", "-0x1.edb6af9808ac8p-1 -0x1.b9eabd71e5df2p+0 -0x1.fac695be9ce6ap+1 0x1.e5d55c171e708p-2 -0x1.5ae08db715274p-2 -0x1.310de983e96aep+1;0x1.698d35b0e7d9ep-1 0x1.6831f9b00269ep-2 -0x1.2a1aab5d214b1p-1 0x1.8085463e24232p+1 0x1.bb068505aed58p+1 0x1.35052cbe82523p+2;6;0x1.03d8dc461999ap-1"], ["joint", "", "0x1.d93f72f711e82p-1 0x1.bbef6b83d8aaap-3 -0x1.cdfac7e29aaf2p-1;0x1.f50d8bd56b48ap+0 0x1.07ffe56246b2ap+1 0x1.1e39c42d85b24p+1;6;0x1.11af720133333p-1"], ["label:late", "", "0x1.be70630d2329ep+0 0x1.49775bc08d776p+0 -0x1.909bd62162ad4p-1 -0x1.46b7d4e07474dp+1 -0x1.0bf3afb0d78dbp+2 -0x1.26c53d1f7a9f2p+3;0x1.307138c3ae130p+1 0x1.60d713b7729e1p+1 0x1.01eea7601bc4bp+2 0x1.0d0b6782c74d0p+1 0x1.2bec1e8369a5cp+1 0x1.94476fa6f8714p+1;6;0x1.a666666666666p-1"], ["labelled:origin=EWR", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["labelled:origin=JFK", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["labelled:score=high", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["labelled:score=highest", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["labelled:score=low", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["labelled:score=lowest", "", "-0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1 -0x1.dc9f15604020cp-1 -0x1.8322eaa4f515fp+0 -0x1.7758eed52c57dp+1;-inf -inf -inf -inf -inf -inf;0;0x1.0000000000000p-1"], ["output:confidence", "", "0x1.2d39dd5b6a945p+1 0x1.0ab4cc52031b0p+1 0x1.0e8ffa15802e8p+0 -0x1.addc62fa43480p-2 -0x1.370d23b655fc9p+0 -0x1.b7dff05b7931fp+1;0x1.2e38a72dced8dp+1 0x1.4f2b23a55bc51p+1 0x1.bc187ff0d5243p+1 0x1.820814b85b124p+0 0x1.7afa3cb415acep+0 0x1.94fcf931d20c2p+0;6;0x1.c73b826666666p-1"], ["output:late", "", "-0x1.addc9c9a50030p-2 -0x1.370d3033e8518p+0 -0x1.b7dff53ca1921p+1 0x1.2d39e5d591c23p+1 0x1.0ab4d425aee4cp+1 0x1.0e9000de134c6p+0;0x1.82080d08e158fp+0 0x1.7afa3281455b2p+0 0x1.94fce80b09441p+0 0x1.2e38ac3ccd436p+1 0x1.4f2b2afafa2fdp+1 0x1.bc188f4e0c3dfp+1;6;0x1.c623ef3000000p-4"]], "pending": [["label:late", "", 3, 12884901888]], "memories": [["estimated_brier", "", "0x0.0p+0"], ["estimated_error", "", "0x0.0p+0"], ["input:origin=EWR", "", "0x0.0p+0"], ["input:origin=JFK", "", "0x0.0p+0"], ["input:temp:location", "", "0x0.0p+0"], ["input:temp:spread", "", "0x1.9f51e9f0fb21dp-2"], ["joint", "", "0x1.aadf0f344ac6ep-2"], ["label:late", "", "0x0.0p+0"], ["labelled:origin=EWR", "", "0x0.0p+0"], ["labelled:origin=JFK", "", "0x0.0p+0"], ["labelled:score=high", "", "0x0.0p+0"], ["labelled:score=highest", "", "0x0.0p+0"], ["labelled:score=low", "", "0x0.0p+0"], ["labelled:score=lowest", "", "0x0.0p+0"], ["output:confidence", "", "0x0.0p+0"], ["output:late", "", "0x0.0p+0"]], "offsets": [["input:temp:spread", "", "0x1.0d4ea1861f5d3p-3"], ["label:late", "", "0x1.83eeee489946ep-1"]]}');
INSERT INTO public.level_state VALUES (1, 'witness', '40 -65 65 10 -10 -15 86 -29 -26 -36 -53 -27 -163 14 60 105 -114 55 -84 21 -42 33 -37 111 112 -1 26 128 10 -191 -81 105 -181 42 166 -51 8 112 -55 -97 -87 102 -144 -127 13 6 20 18 95 -81 -87 40 76 15 -23 34 -26 -66 17 22 -29 -139 -90 -6 40 -15 44 73 -129
40 67 -67 -104 104 -51 35 127 26 -36 122 -130 -60 1 -65 10 -91 18 -76 -54 112 39 -100 92 18 -15 245 56 93 -49 -72 37 -101 5 194 -11 2 7 2 92 -59 172 -32 -106 12 -3 -1 -204 59 -229 -75 37 119 -155 -49 30 -20 -27 87 -95 -44 -25 -85 -120 71 -15 62 82 -143
40 92 -92 25 -25 64 -78 -18 73 -76 11 -62 -14 81 -48 118 -96 -115 -124 85 77 122 -121 41 -105 -121 49 -81 73 -49 -104 119 -15 -31 47 117 -126 68 -110 77 -74 93 72 -51 -110 -92 -113 -29 127 -80 8 -117 -32 -140 -97 -94 -143 -103 38 -126 73 -101 -34 -92 128 -127 -16 20 19
40 -68 68 26 -26 -219 34 71 52 125 -16 -42 -114 36 -34 -143 -2 229 68 -199 -2 -196 61 152 225 118 -58 161 -175 3 -31 -128 -6 34 116 -187 238 -89 46 -96 -97 68 -215 33 241 234 240 18 -100 89 6 130 -33 22 -34 242 213 164 106 122 -236 104 -145 23 -49 220 17 174 -155
40 109 -109 -122 122 -48 -34 -46 26 91 -65 68 -55 -61 -163 -39 -19 75 -11 -88 -11 -32 9 89 35 -68 -43 96 24 -18 -42 -14 103 -148 114 -86 50 30 -59 -37 -75 90 -44 -39 44 13 29 -89 -8 -1 29 40 -28 -53 -55 63 31 50 1 19 -51 35 -58 34 13 -7 -105 61 -128');
INSERT INTO public.level_state VALUES (1, 'awaited', '1365638400000000 1365722640000000 40 11 12 5 12 20 20 40 11 12 5 12 20 20
1365724800000000 1365809040000000 40 13 9 9 9 21 19 40 13 9 9 9 21 19
1365811200000000 1365895440000000 40 10 7 16 7 21 19 40 10 7 16 7 21 19
1365897600000000 1365981840000000 40 9 8 11 12 17 23 40 9 8 11 12 17 23
1365984000000000 1366068240000000 40 13 13 7 7 28 12 40 13 13 7 7 28 12
1366070400000000 1366154640000000 40 11 13 7 9 22 18 40 11 13 7 9 22 18');
INSERT INTO public.level_state VALUES (1, 'first_labels', '1364774400000000 1364774400000000 1364858640000000 40 37 1');
INSERT INTO public.level_state VALUES (1, 'label_runs', '{}');
INSERT INTO public.level_state VALUES (1, 'label_silence', '1365465600000000 1366243200000000 9 0 0 0');
INSERT INTO public.level_state VALUES (1, 'usual_levels', '{"rows":{},"labels":{},"completed":[[40,40],[40,40],[40,40],[40,40],[40,40],[40,40],[40,40]]}');
INSERT INTO public.level_state VALUES (1, 'compared', '');
INSERT INTO public.level_state VALUES (1, 'events', '{}');
INSERT INTO public.level_state VALUES (1, 'subgroups', '{"since": "2013-04-09T00:00:00+00:00", "waiting": 9, "due_at": null}');
INSERT INTO public.level_state VALUES (2, 'awaited', 'a');
INSERT INTO public.monitor VALUES ('flights', '', '2026-12-02 04:33:38.087968+00', '2026-12-02 04:33:38.087968+00', '2026-12-02 04:33:38.087968+00', 0, '');
INSERT INTO public.monitor VALUES ('parcels', '/c/monitor.toml', '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', NULL, 1, 'No traffic.');
INSERT INTO public.notification VALUES (1, 1, 'flights/1/1/1', 1, 'worse', '2013-04-11 00:00:00+00', '[]', '[]', 1, '2026-12-02 04:33:37.245743+00', NULL, NULL, NULL);
INSERT INTO public.notification VALUES (2, 1, 'flights/1/2/0', 2, 'open', '2013-04-11 00:00:00+00', '[]', '[]', 1, '2026-12-02 04:33:37.247761+00', NULL, NULL, NULL);
INSERT INTO public.notification VALUES (3, 1, 'flights/1/1/2', 1, 'worse', '2013-04-13 00:00:00+00', '[]', '[]', 1, '2026-12-02 04:33:37.459902+00', NULL, NULL, NULL);
INSERT INTO public.notification VALUES (4, 2, 'parcels/2/1/0', 1, 'open', '2013-04-02 06:00:00+00', '[]', '[]', 0, NULL, NULL, NULL, NULL);
INSERT INTO public.notification VALUES (5, 2, 'parcels/2/1/acknowledged-1', 1, 'acknowledged', '2013-04-10 00:00:00+00', '[]', '[]', 0, NULL, NULL, NULL, NULL);
INSERT INTO public.notification VALUES (6, 2, 'parcels/2/1/closed-1', 1, 'closed', '2013-04-10 00:00:00+00', '[]', '[]', 0, NULL, NULL, NULL, NULL);
INSERT INTO public.pitfalls_revision VALUES ('0028');
INSERT INTO public.rebaseline VALUES (2, 0, '2013-04-10 00:00:00+00', '2013-04-01 00:00:00+00', '2013-04-03 00:00:00+00', '2013-04-04 00:00:00+00', 'ada', 'new prices', 'abababababababababababababababababababababababababababababababab', 'former', NULL, '{"awaited": "a", "notice": "n", "page": "p", "witness": "w"}', '[[1, "acknowledged"]]', NULL, '');
INSERT INTO public.rollout VALUES (1, 'flights', 'flights', 42, 43, 'shadow', '0x1.999999999999ap-4', 'a', '{}', 'running', '2026-03-01 00:00:00+00', 'ada', '1', '0x1.999999999999ap-4', NULL, '{"verdict":"better","loss":"error","title":"Error rate","unit":"share","min_effect":0.005,"wrong":0.05,"require":"better","missing_labels":"bounded","interval":{"mean":-0.050083333333333334,"low":-0.06031633935872482,"high":-0.040919591050240456,"verdict":"better"},"at_random":{"mean":-0.050083333333333334,"low":-0.06031633935872482,"high":-0.040919591050240456,"verdict":"better"},"champion":0.25375,"candidate":0.20366666666666666,"rows":12000,"labelled":12000,"disagreements":1233,"missing":0,"unusable":0,"failed":0,"dispersion":1.0,"decided_at":"2026-03-07T00:00:00Z","decided":"better","promotable":true,"reasons":[],"obstacles":[],"harm":0.044306927760186215,"harmful":false,"needed":null,"guards":[{"name":"origin=EWR","interval":{"mean":-0.04722589167767503,"low":-0.06159994024976159,"high":-0.03187207203835907,"verdict":"better"},"limit":0.02,"rows":6056,"passes":true,"harm":0.0006595606770132775},{"name":"origin=JFK","interval":{"mean":-0.05299461641991925,"low":-0.07555788837568846,"high":-0.03373140347986816,"verdict":"better"},"limit":0.02,"rows":5944,"passes":true,"harm":0.0005099195010968181},{"name":"errors","interval":{"mean":0.0,"low":-0.0003888162687601948,"high":0.0003888162687601948,"verdict":"no difference that matters"},"limit":0.001,"rows":12000,"passes":true,"harm":0.17599889271556549}],"looks":[{"at":"2026-03-02T00:00:00Z","rows":1000,"labelled":1000,"interval":{"mean":-0.061,"low":-1.0,"high":1.0,"verdict":"can''t tell yet"}},{"at":"2026-03-03T00:00:00Z","rows":2000,"labelled":2000,"interval":{"mean":-0.052,"low":-1.0,"high":1.0,"verdict":"can''t tell yet"}},{"at":"2026-03-04T00:00:00Z","rows":3000,"labelled":3000,"interval":{"mean":-0.04933333333333333,"low":-1.0,"high":1.0,"verdict":"can''t tell yet"}},{"at":"2026-03-05T00:00:00Z","rows":4000,"labelled":4000,"interval":{"mean":-0.0505,"low":-1.0,"high":1.0,"verdict":"can''t tell yet"}},{"at":"2026-03-06T00:00:00Z","rows":5000,"labelled":5000,"interval":{"mean":-0.0484,"low":-1.0,"high":1.0,"verdict":"can''t tell yet"}},{"at":"2026-03-07T00:00:00Z","rows":6000,"labelled":6000,"interval":{"mean":-0.048666666666666664,"low":-0.08434638845444192,"high":-0.01900340391971251,"verdict":"better"}},{"at":"2026-03-08T00:00:00Z","rows":7000,"labelled":7000,"interval":{"mean":-0.04857142857142857,"low":-0.07128410578702424,"high":-0.029583829537575126,"verdict":"better"}},{"at":"2026-03-09T00:00:00Z","rows":8000,"labelled":8000,"interval":{"mean":-0.049375,"low":-0.06793155100252377,"high":-0.0350618041761348,"verdict":"better"}},{"at":"2026-03-10T00:00:00Z","rows":9000,"labelled":9000,"interval":{"mean":-0.04988888888888889,"low":-0.06504886064150997,"high":-0.037777322339962345,"verdict":"better"}},{"at":"2026-03-11T00:00:00Z","rows":10000,"labelled":10000,"interval":{"mean":-0.0493,"low":-0.06165440938539859,"high":-0.03809406649706658,"verdict":"better"}},{"at":"2026-03-12T00:00:00Z","rows":11000,"labelled":11000,"interval":{"mean":-0.049727272727272724,"low":-0.06116419225634752,"high":-0.04016150950270969,"verdict":"better"}},{"at":"2026-03-13T00:00:00Z","rows":12000,"labelled":12000,"interval":{"mean":-0.050083333333333334,"low":-0.06031633935872482,"high":-0.040919591050240456,"verdict":"better"}}],"windows":[{"start":"2026-03-01T00:00:00Z","end":"2026-03-02T00:00:00Z","rows":1000,"labelled":1000,"disagreements":119,"missing":0,"difference":-0.061},{"start":"2026-03-02T00:00:00Z","end":"2026-03-03T00:00:00Z","rows":1000,"labelled":1000,"disagreements":95,"missing":0,"difference":-0.043},{"start":"2026-03-03T00:00:00Z","end":"2026-03-04T00:00:00Z","rows":1000,"labelled":1000,"disagreements":100,"missing":0,"difference":-0.044},{"start":"2026-03-04T00:00:00Z","end":"2026-03-05T00:00:00Z","rows":1000,"labelled":1000,"disagreements":112,"missing":0,"difference":-0.054},{"start":"2026-03-05T00:00:00Z","end":"2026-03-06T00:00:00Z","rows":1000,"labelled":1000,"disagreements":110,"missing":0,"difference":-0.04},{"start":"2026-03-06T00:00:00Z","end":"2026-03-07T00:00:00Z","rows":1000,"labelled":1000,"disagreements":110,"missing":0,"difference":-0.05},{"start":"2026-03-07T00:00:00Z","end":"2026-03-08T00:00:00Z","rows":1000,"labelled":1000,"disagreements":98,"missing":0,"difference":-0.048},{"start":"2026-03-08T00:00:00Z","end":"2026-03-09T00:00:00Z","rows":1000,"labelled":1000,"disagreements":95,"missing":0,"difference":-0.055},{"start":"2026-03-09T00:00:00Z","end":"2026-03-10T00:00:00Z","rows":1000,"labelled":1000,"disagreements":90,"missing":0,"difference":-0.054},{"start":"2026-03-10T00:00:00Z","end":"2026-03-11T00:00:00Z","rows":1000,"labelled":1000,"disagreements":110,"missing":0,"difference":-0.044},{"start":"2026-03-11T00:00:00Z","end":"2026-03-12T00:00:00Z","rows":1000,"labelled":1000,"disagreements":96,"missing":0,"difference":-0.054},{"start":"2026-03-12T00:00:00Z","end":"2026-03-13T00:00:00Z","rows":1000,"labelled":1000,"disagreements":98,"missing":0,"difference":-0.054}]}', '{"at":"2026-03-01T00:00:00Z","rows_per_day":1000.0,"disagreement":0.05,"spread":1.0,"coverage":0.9,"label_delay_days":[0.5,3.0],"measured_on":500,"promises":[{"effect":-0.01,"verdict":"better","shares":[0.5,0.9],"days":[3.0,null],"rows":[5,null],"labels":[1,null]}],"keys_per_day":null}', 7);
INSERT INTO public.rollout_event VALUES (1, 0, '2026-03-01 00:00:00+00', 'started', 'ada', 'Begun.', '[]', 0, NULL);
INSERT INTO public.rollout_event VALUES (1, 1, '2026-03-01 00:00:00+00', 'started', 'ada', 'Begun.', '[]', 0, NULL);
INSERT INTO public.rollout_sample VALUES (1, '2013-04-01 00:00:00+00', '2013-04-10 00:00:00+00', 's', '0x1.2492492492492p-3', '2013-04-10 00:00:00+00');
INSERT INTO public.rollout_window VALUES (1, '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', '{"rows": 7}');
INSERT INTO public.run VALUES (1, 1, '2026-12-02 04:33:35.987797+00', '2026-12-02 04:33:38.085659+00', 9, 320, '', 'h', '0.1.0');
INSERT INTO public.run VALUES (2, 2, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', 5, 4500, '', 'h', '0.1.0');
INSERT INTO public.score VALUES (1, 0, 'page', 'error', '', 37, '0x1.4c1bacf914c1cp-4', '-0x1.04b77c2bc7416p+1');
INSERT INTO public.score VALUES (1, 1, 'page', 'brier', '', 37, '0x1.6635cdac1bad0p-4', '-0x1.48a910e54233ep+0');
INSERT INTO public.score VALUES (1, 2, 'page', 'surprise_error', '', 37, '-0x1.c644759f22980p-5', '-0x1.2712c91720910p+1');
INSERT INTO public.score VALUES (1, 3, 'page', 'surprise_brier', '', 37, '-0x1.6b554006eb3e0p-6', '-0x1.8b9529ccd77edp+0');
INSERT INTO public.score VALUES (1, 4, 'page', 'estimated_error', '', 40, '0x1.47503181ccccdp-3', '-0x1.aa2b265cc6e12p-2');
INSERT INTO public.score VALUES (1, 5, 'page', 'estimated_brier', '', 40, '0x1.f5362ba19999ap-4', '0x1.62979291c3f4cp-1');
INSERT INTO public.score VALUES (1, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (1, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (1, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (1, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (1, 10, 'page', 'error', 'origin=EWR', 20, '0x1.999999999999ap-4', '-0x1.183f8fdc13c50p-1');
INSERT INTO public.score VALUES (1, 11, 'page', 'brier', 'origin=EWR', 20, '0x1.5a84c92266666p-4', '-0x1.ab06c239f0540p-4');
INSERT INTO public.score VALUES (1, 12, 'page', 'surprise_error', 'origin=EWR', 20, '0x1.46c06b3333340p-5', '-0x1.b3af80af7ad94p-2');
INSERT INTO public.score VALUES (1, 13, 'page', 'surprise_brier', 'origin=EWR', 20, '0x1.e66e684666680p-6', '0x1.a655c5288b600p-5');
INSERT INTO public.score VALUES (1, 14, 'page', 'error', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (1, 15, 'page', 'brier', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (1, 16, 'page', 'surprise_error', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (1, 17, 'page', 'surprise_brier', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (1, 18, 'notice', 'output:late', '', 40, '0x1.1c3fdbdd33333p-3', '-0x1.3a43d01e6c650p-2');
INSERT INTO public.score VALUES (1, 19, 'notice', 'output:confidence', '', 40, '0x1.b8f0098cccccdp-1', '-0x1.3a43d570f811cp-2');
INSERT INTO public.score VALUES (1, 20, 'notice', 'input:temp:location', '', 40, '0x1.0965b7a30cccdp-1', '-0x1.5d66300fc1b82p-1');
INSERT INTO public.score VALUES (1, 21, 'notice', 'input:temp:spread', '', 40, '0x1.ebb473994cccdp-2', '-0x1.6e5ffb1e00610p-1');
INSERT INTO public.score VALUES (1, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.0000000000000p-1', '-0x1.711b23ac35d16p-1');
INSERT INTO public.score VALUES (1, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.0000000000000p-1', '-0x1.711b23ac35d14p-1');
INSERT INTO public.score VALUES (1, 24, 'notice', 'joint', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (1, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 0, 'page', 'error', '', 40, '0x1.999999999999ap-4', '-0x1.87e73328835d4p+0');
INSERT INTO public.score VALUES (2, 1, 'page', 'brier', '', 40, '0x1.74f2b5e866666p-4', '-0x1.b8a176b689dc0p-1');
INSERT INTO public.score VALUES (2, 2, 'page', 'surprise_error', '', 40, '-0x1.2764fe6666660p-6', '-0x1.845f3cd73a190p+0');
INSERT INTO public.score VALUES (2, 3, 'page', 'surprise_brier', '', 40, '-0x1.aed35e2666680p-8', '-0x1.b91ad1a844a1cp-1');
INSERT INTO public.score VALUES (2, 4, 'page', 'estimated_error', '', 40, '0x1.1466a64e9999ap-3', '-0x1.200456b66ee35p+0');
INSERT INTO public.score VALUES (2, 5, 'page', 'estimated_brier', '', 40, '0x1.ae2ecacc00000p-4', '0x1.f6a9e13307d24p-2');
INSERT INTO public.score VALUES (2, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (2, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (2, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (2, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (2, 10, 'page', 'error', 'origin=EWR', 18, NULL, '-0x1.183f8fdc13c50p-1');
INSERT INTO public.score VALUES (2, 11, 'page', 'brier', 'origin=EWR', 18, NULL, '-0x1.ab06c239f0540p-4');
INSERT INTO public.score VALUES (2, 12, 'page', 'surprise_error', 'origin=EWR', 18, NULL, '-0x1.b3af80af7ad94p-2');
INSERT INTO public.score VALUES (2, 13, 'page', 'surprise_brier', 'origin=EWR', 18, NULL, '0x1.a655c5288b600p-5');
INSERT INTO public.score VALUES (2, 14, 'page', 'error', 'origin=JFK', 39, '0x1.3b13b13b13b14p-4', '-0x1.09f442b19df6ap+2');
INSERT INTO public.score VALUES (2, 15, 'page', 'brier', 'origin=JFK', 39, '0x1.5da5f4f5be5bep-4', '-0x1.017898ca8b1e0p+2');
INSERT INTO public.score VALUES (2, 16, 'page', 'surprise_error', 'origin=JFK', 39, '-0x1.c33f3b13b13b0p-4', '-0x1.0b43ee3bfcbcep+2');
INSERT INTO public.score VALUES (2, 17, 'page', 'surprise_brier', 'origin=JFK', 39, '-0x1.f06c2bf483480p-5', '-0x1.b9c881092ae6cp+1');
INSERT INTO public.score VALUES (2, 18, 'notice', 'output:late', '', 40, '0x1.fad694899999ap-4', '-0x1.3eb4c27d19a90p-3');
INSERT INTO public.score VALUES (2, 19, 'notice', 'output:confidence', '', 40, '0x1.c0a52db333333p-1', '-0x1.3eb4a4ae5b270p-3');
INSERT INTO public.score VALUES (2, 20, 'notice', 'input:temp:location', '', 40, '0x1.1100aec333333p-1', '0x1.aad88c0260800p-11');
INSERT INTO public.score VALUES (2, 21, 'notice', 'input:temp:spread', '', 40, '0x1.090f3f0866666p-1', '-0x1.fb0ffcab1a6d8p-3');
INSERT INTO public.score VALUES (2, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.ccccccccccccdp-2', '0x1.15e2143db4500p-7');
INSERT INTO public.score VALUES (2, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.199999999999ap-1', '0x1.15e2143db4780p-7');
INSERT INTO public.score VALUES (2, 24, 'notice', 'joint', '', 40, '0x1.da89e60f1999ap-2', '-0x1.e5485f29ea126p+0');
INSERT INTO public.score VALUES (2, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (2, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 0, 'page', 'error', '', 40, '0x1.ccccccccccccdp-3', '0x1.b49c08a24340ap-1');
INSERT INTO public.score VALUES (3, 1, 'page', 'brier', '', 40, '0x1.918dffba00000p-3', '0x1.2635681821b02p+1');
INSERT INTO public.score VALUES (3, 2, 'page', 'surprise_error', '', 40, '0x1.be472c0000000p-4', '0x1.01de3d9d7762fp+0');
INSERT INTO public.score VALUES (3, 3, 'page', 'surprise_brier', '', 40, '0x1.9b31a5ab33330p-4', '0x1.4189a57e0c3c0p+1');
INSERT INTO public.score VALUES (3, 4, 'page', 'estimated_error', '', 40, '0x1.0d8e657366666p-3', '-0x1.7e42bec2c198ep+0');
INSERT INTO public.score VALUES (3, 5, 'page', 'estimated_brier', '', 40, '0x1.a7023d8666666p-4', '0x1.6314e6ddfc608p-2');
INSERT INTO public.score VALUES (3, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (3, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (3, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (3, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (3, 10, 'page', 'error', 'origin=EWR', 40, '0x1.6666666666666p-3', '0x1.186db105643d0p+1');
INSERT INTO public.score VALUES (3, 11, 'page', 'brier', 'origin=EWR', 40, '0x1.3c257b6d9999ap-3', '0x1.74e61677aee30p+1');
INSERT INTO public.score VALUES (3, 12, 'page', 'surprise_error', 'origin=EWR', 40, '0x1.bcaeb6cccccd0p-4', '0x1.1d05e4acfa7ccp+1');
INSERT INTO public.score VALUES (3, 13, 'page', 'surprise_brier', 'origin=EWR', 40, '0x1.7e668f89999a0p-4', '0x1.7d8bbcf93a88cp+1');
INSERT INTO public.score VALUES (3, 14, 'page', 'error', 'origin=JFK', 18, NULL, '-0x1.09f442b19df6ap+2');
INSERT INTO public.score VALUES (3, 15, 'page', 'brier', 'origin=JFK', 18, NULL, '-0x1.017898ca8b1e0p+2');
INSERT INTO public.score VALUES (3, 16, 'page', 'surprise_error', 'origin=JFK', 18, NULL, '-0x1.0b43ee3bfcbcep+2');
INSERT INTO public.score VALUES (3, 17, 'page', 'surprise_brier', 'origin=JFK', 18, NULL, '-0x1.b9c881092ae6cp+1');
INSERT INTO public.score VALUES (3, 18, 'notice', 'output:late', '', 40, '0x1.daede60000000p-4', '0x1.57bbf9eff9c40p-6');
INSERT INTO public.score VALUES (3, 19, 'notice', 'output:confidence', '', 40, '0x1.c4a243c000000p-1', '0x1.57bdc8b2c9f00p-6');
INSERT INTO public.score VALUES (3, 20, 'notice', 'input:temp:location', '', 40, '0x1.fb97530e9999ap-2', '0x1.b4f409b9dd940p-6');
INSERT INTO public.score VALUES (3, 21, 'notice', 'input:temp:spread', '', 40, '0x1.f21735ee1999ap-2', '-0x1.352d0c65d6710p-4');
INSERT INTO public.score VALUES (3, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.199999999999ap-1', '-0x1.6a2535c0a6c00p-7');
INSERT INTO public.score VALUES (3, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.ccccccccccccdp-2', '-0x1.6a2535c0a6a80p-7');
INSERT INTO public.score VALUES (3, 24, 'notice', 'joint', '', 40, '0x1.f21391dd1999ap-2', '-0x1.32fc919c815fbp+0');
INSERT INTO public.score VALUES (3, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (3, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 0, 'page', 'error', '', 40, '0x1.999999999999ap-5', '-0x1.448edff4b5610p+0');
INSERT INTO public.score VALUES (4, 1, 'page', 'brier', '', 40, '0x1.8b160b919999ap-5', '-0x1.35302a36093f0p-4');
INSERT INTO public.score VALUES (4, 2, 'page', 'surprise_error', '', 40, '-0x1.2d556b9999998p-4', '-0x1.3db2d99399c38p+0');
INSERT INTO public.score VALUES (4, 3, 'page', 'surprise_brier', '', 40, '-0x1.adb835dccccd0p-5', '-0x1.e7d42ee484200p-9');
INSERT INTO public.score VALUES (4, 4, 'page', 'estimated_error', '', 40, '0x1.08cc020266666p-3', '-0x1.b492bac6c7278p+0');
INSERT INTO public.score VALUES (4, 5, 'page', 'estimated_brier', '', 40, '0x1.a326bb4866666p-4', '0x1.f0a80f36fd5a0p-3');
INSERT INTO public.score VALUES (4, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (4, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (4, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (4, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (4, 10, 'page', 'error', 'origin=EWR', 23, '0x0.0p+0', '-0x1.56c60ce76c211p+0');
INSERT INTO public.score VALUES (4, 11, 'page', 'brier', 'origin=EWR', 23, '0x1.52bde31642c86p-8', '-0x1.1da6c0be36500p-2');
INSERT INTO public.score VALUES (4, 12, 'page', 'surprise_error', 'origin=EWR', 23, '-0x1.f55ed21642c80p-5', '-0x1.3f1e549ab4ec4p+0');
INSERT INTO public.score VALUES (4, 13, 'page', 'surprise_brier', 'origin=EWR', 23, '-0x1.a0af5950b2160p-5', '-0x1.44c41b7e4ec60p-3');
INSERT INTO public.score VALUES (4, 14, 'page', 'error', 'origin=JFK', 35, '0x1.5f15f15f15f16p-3', '-0x1.3469d44a69c87p+1');
INSERT INTO public.score VALUES (4, 15, 'page', 'brier', 'origin=JFK', 35, '0x1.382da9b2be2bep-3', '-0x1.fd373a89271afp-1');
INSERT INTO public.score VALUES (4, 16, 'page', 'surprise_error', 'origin=JFK', 35, '-0x1.737d907507500p-6', '-0x1.4980cd5abdcf1p+1');
INSERT INTO public.score VALUES (4, 17, 'page', 'surprise_brier', 'origin=JFK', 35, '0x1.237c824924800p-10', '-0x1.045f884bae8b4p+0');
INSERT INTO public.score VALUES (4, 18, 'notice', 'output:late', '', 40, '0x1.e576fafe66666p-4', '0x1.64304b4994f80p-3');
INSERT INTO public.score VALUES (4, 19, 'notice', 'output:confidence', '', 40, '0x1.c351210cccccdp-1', '0x1.6430950283268p-3');
INSERT INTO public.score VALUES (4, 20, 'notice', 'input:temp:location', '', 40, '0x1.f53bd8dc66666p-2', '0x1.b8e6c12b93f70p-4');
INSERT INTO public.score VALUES (4, 21, 'notice', 'input:temp:spread', '', 40, '0x1.c7bca4bfe6666p-2', '0x1.eb4670c9aebd0p-2');
INSERT INTO public.score VALUES (4, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.3333333333333p-1', '0x1.48bb3bf17c070p-2');
INSERT INTO public.score VALUES (4, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.999999999999ap-2', '0x1.48bb3bf17c068p-2');
INSERT INTO public.score VALUES (4, 24, 'notice', 'joint', '', 40, '0x1.08197c7926666p-1', '-0x1.9cd0e28dd4262p-2');
INSERT INTO public.score VALUES (4, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (4, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 0, 'page', 'error', '', 40, '0x1.3333333333333p-4', '-0x1.c13ef0a0b5504p+0');
INSERT INTO public.score VALUES (5, 1, 'page', 'brier', '', 40, '0x1.339fc67c00000p-4', '-0x1.8ce39ad9908f0p-1');
INSERT INTO public.score VALUES (5, 2, 'page', 'surprise_error', '', 40, '-0x1.24e4c39999998p-4', '-0x1.162d465f5fe68p+1');
INSERT INTO public.score VALUES (5, 3, 'page', 'surprise_brier', '', 40, '-0x1.5c385729999a0p-5', '-0x1.30e2293c0d73fp+0');
INSERT INTO public.score VALUES (5, 4, 'page', 'estimated_error', '', 40, '0x1.4181dccd9999ap-3', '-0x1.705a73c9b5626p-2');
INSERT INTO public.score VALUES (5, 5, 'page', 'estimated_brier', '', 40, '0x1.f1ef88759999ap-4', '0x1.727c82ef70bd1p+0');
INSERT INTO public.score VALUES (5, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.da8e8bea2bf80p-5');
INSERT INTO public.score VALUES (5, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.da8e8bea2bf80p-5');
INSERT INTO public.score VALUES (5, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.da8e8bea2bf80p-5');
INSERT INTO public.score VALUES (5, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.da8e8bea2bf80p-5');
INSERT INTO public.score VALUES (5, 10, 'page', 'error', 'origin=EWR', 15, NULL, '-0x1.56c60ce76c211p+0');
INSERT INTO public.score VALUES (5, 11, 'page', 'brier', 'origin=EWR', 15, NULL, '-0x1.1da6c0be36500p-2');
INSERT INTO public.score VALUES (5, 12, 'page', 'surprise_error', 'origin=EWR', 15, NULL, '-0x1.3f1e549ab4ec4p+0');
INSERT INTO public.score VALUES (5, 13, 'page', 'surprise_brier', 'origin=EWR', 15, NULL, '-0x1.44c41b7e4ec60p-3');
INSERT INTO public.score VALUES (5, 14, 'page', 'error', 'origin=JFK', 25, '0x1.47ae147ae147bp-4', '-0x1.fb88726e9bc8cp+1');
INSERT INTO public.score VALUES (5, 15, 'page', 'brier', 'origin=JFK', 25, '0x1.5df638347ae14p-4', '-0x1.cb38f8dcb6ee0p+1');
INSERT INTO public.score VALUES (5, 16, 'page', 'surprise_error', 'origin=JFK', 25, '-0x1.cf5d4c28f5c28p-4', '-0x1.0051b26885f1bp+2');
INSERT INTO public.score VALUES (5, 17, 'page', 'surprise_brier', 'origin=JFK', 25, '-0x1.0b19ecb5c28f8p-4', '-0x1.9a0ba77f28dc4p+1');
INSERT INTO public.score VALUES (5, 18, 'notice', 'output:late', '', 40, '0x1.1fe0787e66666p-3', '0x1.e6ae5526bcdb0p-2');
INSERT INTO public.score VALUES (5, 19, 'notice', 'output:confidence', '', 40, '0x1.b807e2ccccccdp-1', '0x1.e6ae328171938p-2');
INSERT INTO public.score VALUES (5, 20, 'notice', 'input:temp:location', '', 40, '0x1.fcce9ed5b3333p-2', '0x1.5ebbcd98dc210p-3');
INSERT INTO public.score VALUES (5, 21, 'notice', 'input:temp:spread', '', 40, '0x1.0d08dfea0cccdp-1', '0x1.e75b5d988d2f0p-3');
INSERT INTO public.score VALUES (5, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.999999999999ap-2', '0x1.115f1453db1c4p-1');
INSERT INTO public.score VALUES (5, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.3333333333333p-1', '0x1.115f1453db1ccp-1');
INSERT INTO public.score VALUES (5, 24, 'notice', 'joint', '', 40, '0x1.b2517702ccccdp-2', '-0x1.00fda2444f261p+1');
INSERT INTO public.score VALUES (5, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (5, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 0, 'page', 'error', '', 40, '0x1.8cccccccccccdp-1', '0x1.acdd87987fca0p+1');
INSERT INTO public.score VALUES (6, 1, 'page', 'brier', '', 40, '0x1.4261b770f3333p-1', '0x1.b381fd6dde08ep+1');
INSERT INTO public.score VALUES (6, 2, 'page', 'surprise_error', '', 40, '0x1.56e302c000000p-1', '0x1.a7a668fc9aef6p+1');
INSERT INTO public.score VALUES (6, 3, 'page', 'surprise_brier', '', 40, '0x1.15eb24504ccccp-1', '0x1.a8ddfc6cd3506p+1');
INSERT INTO public.score VALUES (6, 4, 'page', 'estimated_error', '', 40, '0x1.e4f7063000000p-4', '-0x1.da5cde6e55c9ap+0');
INSERT INTO public.score VALUES (6, 5, 'page', 'estimated_brier', '', 40, '0x1.8237502a00000p-4', '0x1.f6d810a1a391cp-2');
INSERT INTO public.score VALUES (6, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.1cedf2ca3ba20p-5');
INSERT INTO public.score VALUES (6, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.1cedf2ca3ba20p-5');
INSERT INTO public.score VALUES (6, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.1cedf2ca3ba20p-5');
INSERT INTO public.score VALUES (6, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.1cedf2ca3ba20p-5');
INSERT INTO public.score VALUES (6, 10, 'page', 'error', 'origin=EWR', 40, '0x1.e666666666666p-2', '0x1.5dae2062c6b12p+1');
INSERT INTO public.score VALUES (6, 11, 'page', 'brier', 'origin=EWR', 40, '0x1.acb7f30133333p-2', '0x1.7d9552208e0ecp+1');
INSERT INTO public.score VALUES (6, 12, 'page', 'surprise_error', 'origin=EWR', 40, '0x1.a4892b9999998p-2', '0x1.5a73d68b3af7cp+1');
INSERT INTO public.score VALUES (6, 13, 'page', 'surprise_brier', 'origin=EWR', 40, '0x1.7095bdbf33334p-2', '0x1.7e3c093766f0cp+1');
INSERT INTO public.score VALUES (6, 14, 'page', 'error', 'origin=JFK', 15, NULL, '-0x1.fb88726e9bc8cp+1');
INSERT INTO public.score VALUES (6, 15, 'page', 'brier', 'origin=JFK', 15, NULL, '-0x1.cb38f8dcb6ee0p+1');
INSERT INTO public.score VALUES (6, 16, 'page', 'surprise_error', 'origin=JFK', 15, NULL, '-0x1.0051b26885f1bp+2');
INSERT INTO public.score VALUES (6, 17, 'page', 'surprise_brier', 'origin=JFK', 15, NULL, '-0x1.9a0ba77f28dc4p+1');
INSERT INTO public.score VALUES (6, 18, 'notice', 'output:late', '', 40, '0x1.b83991f000000p-4', '0x1.c45f395bf5328p-2');
INSERT INTO public.score VALUES (6, 19, 'notice', 'output:confidence', '', 40, '0x1.c8f8ce4000000p-1', '0x1.c45f6b0da6188p-2');
INSERT INTO public.score VALUES (6, 20, 'notice', 'input:temp:location', '', 40, '0x1.0a00748226666p-1', '0x1.ffd25fcb10460p-3');
INSERT INTO public.score VALUES (6, 21, 'notice', 'input:temp:spread', '', 40, '0x1.2638e38e33333p-1', '0x1.137ebee09127ap+0');
INSERT INTO public.score VALUES (6, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.3333333333333p-1', '0x1.5ec72c1a240c0p-2');
INSERT INTO public.score VALUES (6, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.999999999999ap-2', '0x1.5ec72c1a240c8p-2');
INSERT INTO public.score VALUES (6, 24, 'notice', 'joint', '', 40, '0x1.f8c2c99db3333p-2', '-0x1.0896d43d057f8p+0');
INSERT INTO public.score VALUES (6, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (6, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 0, 'page', 'error', '', 40, '0x1.e666666666666p-1', '0x1.a4d948bb1d36ep+2');
INSERT INTO public.score VALUES (7, 1, 'page', 'brier', '', 40, '0x1.87e4fbcc73333p-1', '0x1.a358e275c799ep+2');
INSERT INTO public.score VALUES (7, 2, 'page', 'surprise_error', '', 40, '0x1.aef529e666666p-1', '0x1.a27e8eddd6e76p+2');
INSERT INTO public.score VALUES (7, 3, 'page', 'surprise_brier', '', 40, '0x1.5a3765ab1999ap-1', '0x1.9f084e37115eap+2');
INSERT INTO public.score VALUES (7, 4, 'page', 'estimated_error', '', 40, '0x1.04af338f00000p-3', '-0x1.e05f0195622bcp+0');
INSERT INTO public.score VALUES (7, 5, 'page', 'estimated_brier', '', 40, '0x1.9a07e33d9999ap-4', '0x1.dcb0acb4127f0p-3');
INSERT INTO public.score VALUES (7, 6, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.635b0cae420c0p-6');
INSERT INTO public.score VALUES (7, 7, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.635b0cae420c0p-6');
INSERT INTO public.score VALUES (7, 8, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.635b0cae420c0p-6');
INSERT INTO public.score VALUES (7, 9, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.635b0cae420c0p-6');
INSERT INTO public.score VALUES (7, 10, 'page', 'error', 'origin=EWR', 19, NULL, '0x1.5dae2062c6b12p+1');
INSERT INTO public.score VALUES (7, 11, 'page', 'brier', 'origin=EWR', 19, NULL, '0x1.7d9552208e0ecp+1');
INSERT INTO public.score VALUES (7, 12, 'page', 'surprise_error', 'origin=EWR', 19, NULL, '0x1.5a73d68b3af7cp+1');
INSERT INTO public.score VALUES (7, 13, 'page', 'surprise_brier', 'origin=EWR', 19, NULL, '0x1.7e3c093766f0cp+1');
INSERT INTO public.score VALUES (7, 14, 'page', 'error', 'origin=JFK', 36, '0x1.d555555555555p-1', '0x1.762bbac3d39c0p+1');
INSERT INTO public.score VALUES (7, 15, 'page', 'brier', 'origin=JFK', 36, '0x1.51fdcaae471c7p-1', '0x1.769d21c4c6a00p+1');
INSERT INTO public.score VALUES (7, 16, 'page', 'surprise_error', 'origin=JFK', 36, '0x1.7fbff9d555556p-1', '0x1.740cf69bd468ep+1');
INSERT INTO public.score VALUES (7, 17, 'page', 'surprise_brier', 'origin=JFK', 36, '0x1.0ed5c47571c72p-1', '0x1.7f4670f58a970p+1');
INSERT INTO public.score VALUES (7, 18, 'notice', 'output:late', '', 40, '0x1.d4d931f800000p-4', '0x1.40ee13d316550p-1');
INSERT INTO public.score VALUES (7, 19, 'notice', 'output:confidence', '', 40, '0x1.c564d9f333333p-1', '0x1.40ee2be789cc8p-1');
INSERT INTO public.score VALUES (7, 20, 'notice', 'input:temp:location', '', 40, '0x1.b39925174cccdp-2', '0x1.062bf6fd3ff9ep+0');
INSERT INTO public.score VALUES (7, 21, 'notice', 'input:temp:spread', '', 40, '0x1.0e402bb0c0000p-1', '0x1.279ccb613f110p+0');
INSERT INTO public.score VALUES (7, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.ccccccccccccdp-2', '0x1.970f25889e508p-2');
INSERT INTO public.score VALUES (7, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.199999999999ap-1', '0x1.970f25889e518p-2');
INSERT INTO public.score VALUES (7, 24, 'notice', 'joint', '', 40, '0x1.dac0831266666p-2', '-0x1.6d03190214b0ep+0');
INSERT INTO public.score VALUES (7, 25, 'notice', 'labelled:score=lowest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 26, 'notice', 'labelled:score=low', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 27, 'notice', 'labelled:score=high', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 28, 'notice', 'labelled:score=highest', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 29, 'notice', 'labelled:origin=EWR', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (7, 30, 'notice', 'labelled:origin=JFK', '', 0, NULL, '-inf');
INSERT INTO public.score VALUES (8, 0, 'page', 'error', '', 40, '0x1.b333333333333p-1', '0x1.3217ab85c87c1p+3');
INSERT INTO public.score VALUES (8, 1, 'page', 'brier', '', 40, '0x1.577ebda7f3333p-1', '0x1.3051d22c5fcbep+3');
INSERT INTO public.score VALUES (8, 2, 'page', 'surprise_error', '', 40, '0x1.7645ed2666666p-1', '0x1.30e58a5fcf03bp+3');
INSERT INTO public.score VALUES (8, 3, 'page', 'surprise_brier', '', 40, '0x1.2568b29a66666p-1', '0x1.2e41ffb2e6a96p+3');
INSERT INTO public.score VALUES (8, 4, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.d027c4f871e00p-7');
INSERT INTO public.score VALUES (8, 5, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.d027c4f871e00p-7');
INSERT INTO public.score VALUES (8, 6, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.d027c4f871e00p-7');
INSERT INTO public.score VALUES (8, 7, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.d027c4f871e00p-7');
INSERT INTO public.score VALUES (8, 8, 'page', 'error', 'origin=EWR', 41, '0x1.ce0c7ce0c7ce1p-1', '0x1.4b8f1d6269abep+2');
INSERT INTO public.score VALUES (8, 9, 'page', 'brier', 'origin=EWR', 41, '0x1.9c1d736863e70p-1', '0x1.5770ae5f0c200p+2');
INSERT INTO public.score VALUES (8, 10, 'page', 'surprise_error', 'origin=EWR', 41, '0x1.b0d0952bb512cp-1', '0x1.47c03e652b44cp+2');
INSERT INTO public.score VALUES (8, 11, 'page', 'surprise_brier', 'origin=EWR', 41, '0x1.81590a1b9c190p-1', '0x1.553436d283088p+2');
INSERT INTO public.score VALUES (8, 12, 'page', 'error', 'origin=JFK', 18, NULL, '0x1.762bbac3d39c0p+1');
INSERT INTO public.score VALUES (8, 13, 'page', 'brier', 'origin=JFK', 18, NULL, '0x1.769d21c4c6a00p+1');
INSERT INTO public.score VALUES (8, 14, 'page', 'surprise_error', 'origin=JFK', 18, NULL, '0x1.740cf69bd468ep+1');
INSERT INTO public.score VALUES (8, 15, 'page', 'surprise_brier', 'origin=JFK', 18, NULL, '0x1.7f4670f58a970p+1');
INSERT INTO public.score VALUES (8, 16, 'notice', 'estimated_error', '', 40, '0x1.ca9752ba66666p-4', '-0x1.6b6c69a6481c6p+1');
INSERT INTO public.score VALUES (8, 17, 'notice', 'estimated_brier', '', 40, '0x1.73a31ce8ccccdp-4', '-0x1.8238f53e07912p+0');
INSERT INTO public.score VALUES (8, 18, 'notice', 'output:late', '', 40, '0x1.bec9881a66666p-4', '0x1.1d98898df28b2p+0');
INSERT INTO public.score VALUES (8, 19, 'notice', 'output:confidence', '', 40, '0x1.c826cf6666666p-1', '0x1.1d9899efdac9cp+0');
INSERT INTO public.score VALUES (8, 20, 'notice', 'input:temp:location', '', 40, '0x1.f668386ee6666p-2', '0x1.ad6f1a87da5f4p-1');
INSERT INTO public.score VALUES (8, 21, 'notice', 'input:temp:spread', '', 40, '0x1.26353f7cccccdp-1', '0x1.0f87eb6d529fap+1');
INSERT INTO public.score VALUES (8, 22, 'notice', 'input:origin=EWR', '', 40, '0x1.3333333333333p-1', '0x1.acbbc9b042078p-2');
INSERT INTO public.score VALUES (8, 23, 'notice', 'input:origin=JFK', '', 40, '0x1.999999999999ap-2', '0x1.acbbc9b042078p-2');
INSERT INTO public.score VALUES (8, 24, 'notice', 'joint', '', 40, '0x1.15c28f5c66666p-1', '0x1.5090cd3f6e050p-3');
INSERT INTO public.score VALUES (8, 25, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (8, 26, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (8, 27, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (8, 28, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (8, 29, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (8, 30, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 0, 'page', 'error', '', 40, '0x1.999999999999ap-1', '-0x1.1eccf8464e0adp+1');
INSERT INTO public.score VALUES (9, 1, 'page', 'brier', '', 40, '0x1.39de43935999ap-1', '-0x1.575b361b2d9f0p+1');
INSERT INTO public.score VALUES (9, 2, 'page', 'surprise_error', '', 40, '0x1.53095ca980000p-1', '-0x1.3f1d0cc84e629p+1');
INSERT INTO public.score VALUES (9, 3, 'page', 'surprise_brier', '', 40, '0x1.01fdde5e4ccccp-1', '-0x1.7458ba34d086cp+1');
INSERT INTO public.score VALUES (9, 4, 'page', 'rank:late', '', 32, '0x1.bb39827740000p-2', '0x1.2ec453c43c2e4p+1');
INSERT INTO public.score VALUES (9, 5, 'page', 'surprise_rank:late', '', 40, '0x1.f9ee0efdf34e8p-1', '0x1.1d5cc3d9dae94p+2');
INSERT INTO public.score VALUES (9, 6, 'page', 'material_error', '', 40, '0x1.999999999999ap-1', '0x1.1d6c33f57869cp+2');
INSERT INTO public.score VALUES (9, 7, 'page', 'material_brier', '', 40, '0x1.39de43935999ap-1', '0x1.1d428605fdd72p+2');
INSERT INTO public.score VALUES (9, 8, 'page', 'material_rank:late', '', 32, '0x1.bb39827740000p-2', '0x1.08d02a048d12cp-2');
INSERT INTO public.score VALUES (9, 9, 'page', 'residual:late', '', 40, '0x1.53095ca980000p-1', '0x1.e1e4642d929f1p+1');
INSERT INTO public.score VALUES (9, 10, 'page', 'calibration_slope', '', 40, '-0x1.12fe8d1130a10p-1', '0x1.e1a3587b16411p+1');
INSERT INTO public.score VALUES (9, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (9, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (9, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (9, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (9, 15, 'page', 'error', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 16, 'page', 'brier', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 17, 'page', 'surprise_error', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 18, 'page', 'surprise_brier', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 19, 'page', 'material_error', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 20, 'page', 'material_brier', 'origin=EWR', 17, NULL, '-inf');
INSERT INTO public.score VALUES (9, 21, 'page', 'error', 'origin=JFK', 23, '0x1.90b21642c8591p-1', '0x1.1adc8313a21e6p+2');
INSERT INTO public.score VALUES (9, 22, 'page', 'brier', 'origin=JFK', 23, '0x1.17035885d37a7p-1', '0x1.1ad3a0fca66e0p+2');
INSERT INTO public.score VALUES (9, 23, 'page', 'surprise_error', 'origin=JFK', 23, '0x1.30ea8eb000000p-1', '0x1.1aa91d33b4130p+2');
INSERT INTO public.score VALUES (9, 24, 'page', 'surprise_brier', 'origin=JFK', 23, '0x1.9d01988f4de9cp-2', '0x1.71243a1efcde6p+1');
INSERT INTO public.score VALUES (9, 25, 'page', 'material_error', 'origin=JFK', 23, '0x1.90b21642c8591p-1', '0x1.1adc8313a21e6p+2');
INSERT INTO public.score VALUES (9, 26, 'page', 'material_brier', 'origin=JFK', 23, '0x1.17035885d37a7p-1', '0x1.1ad3a0fca66e0p+2');
INSERT INTO public.score VALUES (9, 27, 'notice', 'label:late', '', 40, '0x1.999999999999ap-1', '0x1.443ade54d4989p+1');
INSERT INTO public.score VALUES (9, 28, 'notice', 'estimated_error', '', 40, '0x1.20bc4e9466666p-3', '-0x1.97c9ff1ee775cp-2');
INSERT INTO public.score VALUES (9, 29, 'notice', 'estimated_brier', '', 40, '0x1.c668f6479999ap-4', '-0x1.541fb7fdd63fcp-3');
INSERT INTO public.score VALUES (9, 30, 'notice', 'output:late', '', 40, '0x1.1279660b33333p-3', '-0x1.15224258ef5e6p-1');
INSERT INTO public.score VALUES (9, 31, 'notice', 'output:confidence', '', 40, '0x1.bb61a6c000000p-1', '-0x1.1522380e325e2p-1');
INSERT INTO public.score VALUES (9, 32, 'notice', 'input:temp:location', '', 40, '0x1.13020c499999ap-1', '-0x1.e408fb872de4cp-2');
INSERT INTO public.score VALUES (9, 33, 'notice', 'input:temp:spread', '', 40, '0x1.030eca8600000p-1', '-0x1.80b46603ef36ep+0');
INSERT INTO public.score VALUES (9, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.b333333333333p-2', '-0x1.1a41dc1544df8p-2');
INSERT INTO public.score VALUES (9, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.2666666666666p-1', '-0x1.1a41dc1544df8p-2');
INSERT INTO public.score VALUES (9, 36, 'notice', 'joint', '', 40, '0x1.e950c83f9999ap-2', '-0x1.9660a66c3620ep+0');
INSERT INTO public.score VALUES (9, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (9, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (10, 0, 'page', 'error', '', 40, '0x1.ccccccccccccdp-1', '-0x1.765975957d892p-1');
INSERT INTO public.score VALUES (10, 1, 'page', 'brier', '', 40, '0x1.6ca851fb9999ap-1', '-0x1.38b24c4f455fep-1');
INSERT INTO public.score VALUES (10, 2, 'page', 'surprise_error', '', 40, '0x1.824f1d0033334p-1', '-0x1.23d0187dedc82p+0');
INSERT INTO public.score VALUES (10, 3, 'page', 'surprise_brier', '', 40, '0x1.32fb41ee33334p-1', '-0x1.e6c3fb9b05337p-1');
INSERT INTO public.score VALUES (10, 4, 'page', 'rank:late', '', 36, '0x1.f782af0c8e38ep-2', '0x1.33a0cacf1e543p+2');
INSERT INTO public.score VALUES (10, 5, 'page', 'surprise_rank:late', '', 40, '0x1.81e30e6fd9eacp+0', '0x1.475348476bdbcp+3');
INSERT INTO public.score VALUES (10, 6, 'page', 'material_error', '', 40, '0x1.ccccccccccccdp-1', '0x1.4798116d6cad8p+3');
INSERT INTO public.score VALUES (10, 7, 'page', 'material_brier', '', 40, '0x1.6ca851fb9999ap-1', '0x1.47927b6fb2fa9p+3');
INSERT INTO public.score VALUES (10, 8, 'page', 'material_rank:late', '', 36, '0x1.f782af0c8e38ep-2', '0x1.24175d659f45ap+1');
INSERT INTO public.score VALUES (10, 9, 'page', 'residual:late', '', 40, '0x1.824f1d0033334p-1', '0x1.3123d333f1310p+3');
INSERT INTO public.score VALUES (10, 10, 'page', 'calibration_slope', '', 40, '-0x1.7ad0ee3d9d370p-1', '0x1.3121ec632e44bp+3');
INSERT INTO public.score VALUES (10, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (10, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (10, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (10, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (10, 15, 'page', 'error', 'origin=EWR', 37, '0x1.d67c8a60dd67dp-1', '-0x1.7af6079b2ea12p+0');
INSERT INTO public.score VALUES (10, 16, 'page', 'brier', 'origin=EWR', 37, '0x1.98a2ff01acf91p-1', '-0x1.f2649a3ee1a73p+0');
INSERT INTO public.score VALUES (10, 17, 'page', 'surprise_error', 'origin=EWR', 37, '0x1.b36cae5e60dd6p-1', '-0x1.b40be4759961ep+0');
INSERT INTO public.score VALUES (10, 18, 'page', 'surprise_brier', 'origin=EWR', 37, '0x1.78a74b3c1bad0p-1', '-0x1.164627d1455fep+1');
INSERT INTO public.score VALUES (10, 19, 'page', 'material_error', 'origin=EWR', 37, '0x1.d67c8a60dd67dp-1', '0x1.19b78e4b4e5aep+2');
INSERT INTO public.score VALUES (10, 20, 'page', 'material_brier', 'origin=EWR', 37, '0x1.98a2ff01acf91p-1', '0x1.19bce6cd1862cp+2');
INSERT INTO public.score VALUES (10, 21, 'page', 'error', 'origin=JFK', 20, '0x1.999999999999ap-1', '0x1.471ee864455afp+3');
INSERT INTO public.score VALUES (10, 22, 'page', 'brier', 'origin=JFK', 20, '0x1.183560c0e6666p-1', '0x1.471ea688faf39p+3');
INSERT INTO public.score VALUES (10, 23, 'page', 'surprise_error', 'origin=JFK', 20, '0x1.26808ca733334p-1', '0x1.471d6525be287p+3');
INSERT INTO public.score VALUES (10, 24, 'page', 'surprise_brier', 'origin=JFK', 20, '0x1.8751482ecccccp-2', '0x1.5ea329219a568p+2');
INSERT INTO public.score VALUES (10, 25, 'page', 'material_error', 'origin=JFK', 20, '0x1.999999999999ap-1', '0x1.4738fa4566333p+3');
INSERT INTO public.score VALUES (10, 26, 'page', 'material_brier', 'origin=JFK', 20, '0x1.183560c0e6666p-1', '0x1.473879eb07b26p+3');
INSERT INTO public.score VALUES (10, 27, 'notice', 'label:late', '', 40, '0x1.ccccccccccccdp-1', '0x1.6deb1022db85ap+2');
INSERT INTO public.score VALUES (10, 28, 'notice', 'estimated_error', '', 40, '0x1.237e7d039999ap-3', '0x1.04a9f3958c7d8p-2');
INSERT INTO public.score VALUES (10, 29, 'notice', 'estimated_brier', '', 40, '0x1.c62ea5a59999ap-4', '0x1.e5847761a18e4p-2');
INSERT INTO public.score VALUES (10, 30, 'notice', 'output:late', '', 40, '0x1.01c7ad30ccccdp-3', '-0x1.8f12ddd8318f0p-3');
INSERT INTO public.score VALUES (10, 31, 'notice', 'output:confidence', '', 40, '0x1.bf8e150cccccdp-1', '-0x1.8f12b50f37558p-3');
INSERT INTO public.score VALUES (10, 32, 'notice', 'input:temp:location', '', 40, '0x1.019b6ba233333p-1', '-0x1.8a32a25f0e428p-3');
INSERT INTO public.score VALUES (10, 33, 'notice', 'input:temp:spread', '', 40, '0x1.ed3a06d333333p-2', '-0x1.9924e2c13efa9p-1');
INSERT INTO public.score VALUES (10, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.0cccccccccccdp-1', '-0x1.491a35553bfd8p-3');
INSERT INTO public.score VALUES (10, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.e666666666666p-2', '-0x1.491a35553bfc8p-3');
INSERT INTO public.score VALUES (10, 36, 'notice', 'joint', '', 40, '0x1.e884e476ccccdp-2', '-0x1.575f1fd7094adp+0');
INSERT INTO public.score VALUES (10, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (10, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (10, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (10, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (10, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (10, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (11, 0, 'page', 'error', '', 40, '0x1.a666666666666p-1', '-0x1.b397841266facp+0');
INSERT INTO public.score VALUES (11, 1, 'page', 'brier', '', 40, '0x1.5973db6ec0000p-1', '-0x1.1d65e0651d242p+0');
INSERT INTO public.score VALUES (11, 2, 'page', 'surprise_error', '', 40, '0x1.6cd933d19999ap-1', '-0x1.505d6d0b72bdep+0');
INSERT INTO public.score VALUES (11, 3, 'page', 'surprise_brier', '', 40, '0x1.2b1ccc7080000p-1', '-0x1.47d6d09341af2p-1');
INSERT INTO public.score VALUES (11, 4, 'page', 'rank:late', '', 33, '0x1.14b55ca9a2e8cp-1', '-0x1.a74a6995024a0p-4');
INSERT INTO public.score VALUES (11, 5, 'page', 'surprise_rank:late', '', 40, '0x1.a573a121e8ba4p+0', '0x1.b89acff79b585p+1');
INSERT INTO public.score VALUES (11, 6, 'page', 'material_error', '', 40, '0x1.a666666666666p-1', '-0x1.446be1deb93a0p+1');
INSERT INTO public.score VALUES (11, 7, 'page', 'material_brier', '', 40, '0x1.5973db6ec0000p-1', '-0x1.16082bec31197p+1');
INSERT INTO public.score VALUES (11, 8, 'page', 'material_rank:late', '', 33, '0x1.14b55ca9a2e8cp-1', '-0x1.62932187b3119p+1');
INSERT INTO public.score VALUES (11, 9, 'page', 'residual:late', '', 40, '0x1.6cd933d19999ap-1', '-0x1.e152dc21c2f1fp+0');
INSERT INTO public.score VALUES (11, 10, 'page', 'calibration_slope', '', 40, '-0x1.d1338f30c73c0p-1', '0x1.e1a3587b16411p+1');
INSERT INTO public.score VALUES (11, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (11, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (11, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (11, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (11, 15, 'page', 'error', 'origin=EWR', 23, '0x1.e9bd37a6f4deap-1', '-0x1.0b3de81504a4ep+0');
INSERT INTO public.score VALUES (11, 16, 'page', 'brier', 'origin=EWR', 23, '0x1.b4e62a50de9bdp-1', '-0x1.99ecf11162518p-2');
INSERT INTO public.score VALUES (11, 17, 'page', 'surprise_error', 'origin=EWR', 23, '0x1.d420f2874de9cp-1', '-0x1.aca6d9ad82dc4p-2');
INSERT INTO public.score VALUES (11, 18, 'page', 'surprise_brier', 'origin=EWR', 23, '0x1.a04b8e98590b2p-1', '0x1.4e57fddb163f8p-2');
INSERT INTO public.score VALUES (11, 19, 'page', 'material_error', 'origin=EWR', 23, '0x1.e9bd37a6f4deap-1', '-0x1.a8dc67db37623p+0');
INSERT INTO public.score VALUES (11, 20, 'page', 'material_brier', 'origin=EWR', 23, '0x1.b4e62a50de9bdp-1', '-0x1.272879f5dd4dap+0');
INSERT INTO public.score VALUES (11, 21, 'page', 'error', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 22, 'page', 'brier', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 23, 'page', 'surprise_error', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 24, 'page', 'surprise_brier', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 25, 'page', 'material_error', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 26, 'page', 'material_brier', 'origin=JFK', 17, NULL, '-inf');
INSERT INTO public.score VALUES (11, 27, 'notice', 'label:late', '', 40, '0x1.a666666666666p-1', '-0x1.38ff38257411ep+1');
INSERT INTO public.score VALUES (11, 28, 'notice', 'estimated_error', '', 40, '0x1.f47e121d33333p-4', '-0x1.421b3a8ce9056p+0');
INSERT INTO public.score VALUES (11, 29, 'notice', 'estimated_brier', '', 40, '0x1.8daf56ef9999ap-4', '-0x1.1b0e761c463c1p+0');
INSERT INTO public.score VALUES (11, 30, 'notice', 'output:late', '', 40, '0x1.ed9c347666666p-4', '-0x1.804f4ac1ac792p-1');
INSERT INTO public.score VALUES (11, 31, 'notice', 'output:confidence', '', 40, '0x1.c24c794cccccdp-1', '-0x1.804f49145e818p-1');
INSERT INTO public.score VALUES (11, 32, 'notice', 'input:temp:location', '', 40, '0x1.e20a77b1b3333p-2', '-0x1.12cab830aad96p-1');
INSERT INTO public.score VALUES (11, 33, 'notice', 'input:temp:spread', '', 40, '0x1.efbe76c89999ap-2', '-0x1.2f03f254d2906p+0');
INSERT INTO public.score VALUES (11, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.0000000000000p-1', '-0x1.711b23ac35d16p-1');
INSERT INTO public.score VALUES (11, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.0000000000000p-1', '-0x1.711b23ac35d14p-1');
INSERT INTO public.score VALUES (11, 36, 'notice', 'joint', '', 40, '0x1.d77ebf9980000p-2', '-0x1.b22f72cc67a90p+0');
INSERT INTO public.score VALUES (11, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (11, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (11, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (11, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (11, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (11, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.c3a507a99e464p+0');
INSERT INTO public.score VALUES (12, 0, 'page', 'error', '', 40, '0x1.b333333333333p-1', '-0x1.1852e32045e19p+0');
INSERT INTO public.score VALUES (12, 1, 'page', 'brier', '', 40, '0x1.63f3ef4273333p-1', '-0x1.1bd3b0d6005ecp-2');
INSERT INTO public.score VALUES (12, 2, 'page', 'surprise_error', '', 40, '0x1.7562a1e680000p-1', '-0x1.74ef23635be6cp-1');
INSERT INTO public.score VALUES (12, 3, 'page', 'surprise_brier', '', 40, '0x1.32ce7e8933334p-1', '0x1.e39699c8454f0p-3');
INSERT INTO public.score VALUES (12, 4, 'page', 'rank:late', '', 34, '0x1.17caa582f0f0fp-1', '0x1.5e33647b7f1fep-1');
INSERT INTO public.score VALUES (12, 5, 'page', 'surprise_rank:late', '', 40, '0x1.c025f24d8ba2cp+0', '0x1.1c6806ffacf8dp+3');
INSERT INTO public.score VALUES (12, 6, 'page', 'material_error', '', 40, '0x1.b333333333333p-1', '-0x1.0980ef9fd34aep+1');
INSERT INTO public.score VALUES (12, 7, 'page', 'material_brier', '', 40, '0x1.63f3ef4273333p-1', '-0x1.95be3b1350f30p+0');
INSERT INTO public.score VALUES (12, 8, 'page', 'material_rank:late', '', 34, '0x1.17caa582f0f0fp-1', '-0x1.4812a06c2ec1cp+1');
INSERT INTO public.score VALUES (12, 9, 'page', 'residual:late', '', 40, '0x1.7562a1e680000p-1', '-0x1.57b9b33e588b8p+0');
INSERT INTO public.score VALUES (12, 10, 'page', 'calibration_slope', '', 40, '-0x1.cd8d62f535ea0p-1', '0x1.3121ec632e44bp+3');
INSERT INTO public.score VALUES (12, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (12, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (12, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (12, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (12, 15, 'page', 'error', 'origin=EWR', 19, NULL, '-0x1.0b3de81504a4ep+0');
INSERT INTO public.score VALUES (12, 16, 'page', 'brier', 'origin=EWR', 19, NULL, '-0x1.99ecf11162518p-2');
INSERT INTO public.score VALUES (12, 17, 'page', 'surprise_error', 'origin=EWR', 19, NULL, '-0x1.aca6d9ad82dc4p-2');
INSERT INTO public.score VALUES (12, 18, 'page', 'surprise_brier', 'origin=EWR', 19, NULL, '0x1.4e57fddb163f8p-2');
INSERT INTO public.score VALUES (12, 19, 'page', 'material_error', 'origin=EWR', 19, NULL, '-0x1.a8dc67db37623p+0');
INSERT INTO public.score VALUES (12, 20, 'page', 'material_brier', 'origin=EWR', 19, NULL, '-0x1.272879f5dd4dap+0');
INSERT INTO public.score VALUES (12, 21, 'page', 'error', 'origin=JFK', 38, '0x1.79435e50d7943p-1', '-0x1.18ed1f26b14a2p+1');
INSERT INTO public.score VALUES (12, 22, 'page', 'brier', 'origin=JFK', 38, '0x1.076b495a435e5p-1', '-0x1.18a332b65627cp+1');
INSERT INTO public.score VALUES (12, 23, 'page', 'surprise_error', 'origin=JFK', 38, '0x1.1328103086bcap-1', '-0x1.0dce2c0d4cc4fp+1');
INSERT INTO public.score VALUES (12, 24, 'page', 'surprise_brier', 'origin=JFK', 38, '0x1.72706551e50d8p-2', '-0x1.5b7e9112a3745p+1');
INSERT INTO public.score VALUES (12, 25, 'page', 'material_error', 'origin=JFK', 38, '0x1.79435e50d7943p-1', '-0x1.a25ffe14014b6p+1');
INSERT INTO public.score VALUES (12, 26, 'page', 'material_brier', 'origin=JFK', 38, '0x1.076b495a435e5p-1', '-0x1.bbe01af9b66a1p+1');
INSERT INTO public.score VALUES (12, 27, 'notice', 'label:late', '', 40, '0x1.b333333333333p-1', '-0x1.e534ffde583d6p+0');
INSERT INTO public.score VALUES (12, 28, 'notice', 'estimated_error', '', 40, '0x1.cf65fb959999ap-4', '-0x1.40b70d8ae9fbcp+0');
INSERT INTO public.score VALUES (12, 29, 'notice', 'estimated_brier', '', 40, '0x1.75c08bb933333p-4', '-0x1.1b7a4707979cfp+0');
INSERT INTO public.score VALUES (12, 30, 'notice', 'output:late', '', 40, '0x1.ba4728e000000p-4', '0x1.a09dd605ae830p-3');
INSERT INTO public.score VALUES (12, 31, 'notice', 'output:confidence', '', 40, '0x1.c8b71b0cccccdp-1', '0x1.a09dc2d266188p-3');
INSERT INTO public.score VALUES (12, 32, 'notice', 'input:temp:location', '', 40, '0x1.b6d7447e1999ap-2', '0x1.c0d9e37db660cp-1');
INSERT INTO public.score VALUES (12, 33, 'notice', 'input:temp:spread', '', 40, '0x1.0dda39cc73333p-1', '-0x1.1cc8b3747092ep+0');
INSERT INTO public.score VALUES (12, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.0cccccccccccdp-1', '-0x1.22c9734ab42a8p-2');
INSERT INTO public.score VALUES (12, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.e666666666666p-2', '-0x1.22c9734ab42a4p-2');
INSERT INTO public.score VALUES (12, 36, 'notice', 'joint', '', 40, '0x1.11af720166666p-1', '0x1.ca35754827e48p-3');
INSERT INTO public.score VALUES (12, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (12, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (12, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (12, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (12, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (12, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.8fe581b70dd0ep+0');
INSERT INTO public.score VALUES (13, 0, 'page', 'error', '', 40, '0x1.d99999999999ap-1', '0x1.4b6e6f84a4a00p-6');
INSERT INTO public.score VALUES (13, 1, 'page', 'brier', '', 40, '0x1.7d78eda48cccdp-1', '0x1.99c198e9338a0p-5');
INSERT INTO public.score VALUES (13, 2, 'page', 'surprise_error', '', 40, '0x1.9d96b66100000p-1', '0x1.a4d014fe956c0p-6');
INSERT INTO public.score VALUES (13, 3, 'page', 'surprise_brier', '', 40, '0x1.4bf3c48a1999ap-1', '-0x1.7814584615380p-7');
INSERT INTO public.score VALUES (13, 4, 'page', 'rank:late', '', 37, '0x1.00ec780bd67c9p-1', '-0x1.4faf60ddfae4bp+1');
INSERT INTO public.score VALUES (13, 5, 'page', 'surprise_rank:late', '', 40, '0x1.8af6a1b09a724p+0', '-0x1.4c37a0963d5c3p+1');
INSERT INTO public.score VALUES (13, 6, 'page', 'material_error', '', 40, '0x1.d99999999999ap-1', '-0x1.12dff8dfdfe5cp+0');
INSERT INTO public.score VALUES (13, 7, 'page', 'material_brier', '', 40, '0x1.7d78eda48cccdp-1', '-0x1.38dc7dcbfabf4p+0');
INSERT INTO public.score VALUES (13, 8, 'page', 'material_rank:late', '', 37, '0x1.00ec780bd67c9p-1', '-0x1.0b171b6ec9a00p+2');
INSERT INTO public.score VALUES (13, 9, 'page', 'residual:late', '', 40, '0x1.9d96b66100000p-1', '-0x1.43e88509dd878p-1');
INSERT INTO public.score VALUES (13, 10, 'page', 'calibration_slope', '', 40, '-0x1.98f524e351530p-1', '-0x1.9031e6a96d7e1p+1');
INSERT INTO public.score VALUES (13, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (13, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (13, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (13, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.80d08378cb796p-1');
INSERT INTO public.score VALUES (13, 15, 'page', 'error', 'origin=EWR', 40, '0x1.d99999999999ap-1', '-0x1.2ce74e002b71dp+1');
INSERT INTO public.score VALUES (13, 16, 'page', 'brier', 'origin=EWR', 40, '0x1.a8866bc80cccdp-1', '-0x1.275db3d81ba1ep+1');
INSERT INTO public.score VALUES (13, 17, 'page', 'surprise_error', 'origin=EWR', 40, '0x1.be79cfd0e6666p-1', '-0x1.462f991544a3bp+1');
INSERT INTO public.score VALUES (13, 18, 'page', 'surprise_brier', 'origin=EWR', 40, '0x1.8f71694b33334p-1', '-0x1.400179b0f3d5fp+1');
INSERT INTO public.score VALUES (13, 19, 'page', 'material_error', 'origin=EWR', 40, '0x1.d99999999999ap-1', '-0x1.6a5dc3d102cbfp+1');
INSERT INTO public.score VALUES (13, 20, 'page', 'material_brier', 'origin=EWR', 40, '0x1.a8866bc80cccdp-1', '-0x1.6b2f5a4a9ba8cp+1');
INSERT INTO public.score VALUES (13, 21, 'page', 'error', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 22, 'page', 'brier', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 23, 'page', 'surprise_error', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 24, 'page', 'surprise_brier', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 25, 'page', 'material_error', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 26, 'page', 'material_brier', 'origin=JFK', 19, NULL, '-inf');
INSERT INTO public.score VALUES (13, 27, 'notice', 'label:late', '', 40, '0x1.d99999999999ap-1', '-0x1.0363a1d65fb4ap-1');
INSERT INTO public.score VALUES (13, 28, 'notice', 'estimated_error', '', 40, '0x1.feeee4519999ap-4', '-0x1.85d4a6da87c7ep-1');
INSERT INTO public.score VALUES (13, 29, 'notice', 'estimated_brier', '', 40, '0x1.9cdc55659999ap-4', '-0x1.f22e3b2dfe304p-2');
INSERT INTO public.score VALUES (13, 30, 'notice', 'output:late', '', 40, '0x1.de7a0e319999ap-4', '0x1.7d231a91a4bc0p-2');
INSERT INTO public.score VALUES (13, 31, 'notice', 'output:confidence', '', 40, '0x1.c430be6666666p-1', '0x1.7d23130ddd890p-2');
INSERT INTO public.score VALUES (13, 32, 'notice', 'input:temp:location', '', 40, '0x1.e0057619b3333p-2', '0x1.08ca07cd34cf0p+0');
INSERT INTO public.score VALUES (13, 33, 'notice', 'input:temp:spread', '', 40, '0x1.e3c4d5e6e6666p-2', '-0x1.7b1b7b71e7c8cp-2');
INSERT INTO public.score VALUES (13, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.0cccccccccccdp-1', '-0x1.243cab0e1e210p-4');
INSERT INTO public.score VALUES (13, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.e666666666666p-2', '-0x1.243cab0e1e200p-4');
INSERT INTO public.score VALUES (13, 36, 'notice', 'joint', '', 40, '0x1.ec510280b3333p-2', '-0x1.97267872cbf7cp-1');
INSERT INTO public.score VALUES (13, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (13, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (13, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (13, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (13, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (13, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.8480beefaee96p+0');
INSERT INTO public.score VALUES (14, 0, 'page', 'error', '', 40, '0x1.0000000000000p+0', '0x1.1ccf0507383bdp+1');
INSERT INTO public.score VALUES (14, 1, 'page', 'brier', '', 40, '0x1.83391cca1999ap-1', '0x1.1c1b530785286p+0');
INSERT INTO public.score VALUES (14, 2, 'page', 'surprise_error', '', 40, '0x1.b39a96b9e6666p-1', '0x1.96e6eeb93040cp+0');
INSERT INTO public.score VALUES (14, 3, 'page', 'surprise_brier', '', 40, '0x1.47e862c11999ap-1', '0x1.08e90c7a3a988p-1');
INSERT INTO public.score VALUES (14, 4, 'page', 'rank:late', '', 40, '0x1.b44d07b0ccccdp-2', '-0x1.f1f5f08c61c86p+1');
INSERT INTO public.score VALUES (14, 5, 'page', 'surprise_rank:late', '', 40, '0x1.30d84648d9eacp+0', '-0x1.95e566ff15b6ap+1');
INSERT INTO public.score VALUES (14, 6, 'page', 'material_error', '', 40, '0x1.0000000000000p+0', '0x1.f36164d8361b0p-2');
INSERT INTO public.score VALUES (14, 7, 'page', 'material_brier', '', 40, '0x1.83391cca1999ap-1', '-0x1.3dfc4f050875cp-1');
INSERT INTO public.score VALUES (14, 8, 'page', 'material_rank:late', '', 40, '0x1.b44d07b0ccccdp-2', '-0x1.091ee98774807p+2');
INSERT INTO public.score VALUES (14, 9, 'page', 'residual:late', '', 40, '0x1.b39a96b9e6666p-1', '0x1.cf0eab1775a04p-1');
INSERT INTO public.score VALUES (14, 10, 'page', 'calibration_slope', '', 40, '-0x1.3c46706830c00p-1', '-0x1.9f6283aaaf50ep+1');
INSERT INTO public.score VALUES (14, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (14, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (14, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (14, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.5f4b49bd83748p-2');
INSERT INTO public.score VALUES (14, 15, 'page', 'error', 'origin=EWR', 18, NULL, '-0x1.2ce74e002b71dp+1');
INSERT INTO public.score VALUES (14, 16, 'page', 'brier', 'origin=EWR', 18, NULL, '-0x1.275db3d81ba1ep+1');
INSERT INTO public.score VALUES (14, 17, 'page', 'surprise_error', 'origin=EWR', 18, NULL, '-0x1.462f991544a3bp+1');
INSERT INTO public.score VALUES (14, 18, 'page', 'surprise_brier', 'origin=EWR', 18, NULL, '-0x1.400179b0f3d5fp+1');
INSERT INTO public.score VALUES (14, 19, 'page', 'material_error', 'origin=EWR', 18, NULL, '-0x1.6a5dc3d102cbfp+1');
INSERT INTO public.score VALUES (14, 20, 'page', 'material_brier', 'origin=EWR', 18, NULL, '-0x1.6b2f5a4a9ba8cp+1');
INSERT INTO public.score VALUES (14, 21, 'page', 'error', 'origin=JFK', 41, '0x1.e7063e7063e70p-1', '0x1.3cc1bea7c24dfp+1');
INSERT INTO public.score VALUES (14, 22, 'page', 'brier', 'origin=JFK', 41, '0x1.50a0252b44aedp-1', '0x1.7e1eaaffa11b7p+1');
INSERT INTO public.score VALUES (14, 23, 'page', 'surprise_error', 'origin=JFK', 41, '0x1.821978f87ce0cp-1', '0x1.2f1de9c02ba07p+1');
INSERT INTO public.score VALUES (14, 24, 'page', 'surprise_brier', 'origin=JFK', 41, '0x1.03ce784be7064p-1', '0x1.6a31d39332024p+1');
INSERT INTO public.score VALUES (14, 25, 'page', 'material_error', 'origin=JFK', 41, '0x1.e7063e7063e70p-1', '0x1.e5beb55d31d60p-2');
INSERT INTO public.score VALUES (14, 26, 'page', 'material_brier', 'origin=JFK', 41, '0x1.50a0252b44aedp-1', '0x1.71f8cd001e9f0p-2');
INSERT INTO public.score VALUES (14, 27, 'notice', 'label:late', '', 40, '0x1.0000000000000p+0', '0x1.82cd6d23aa2eap+0');
INSERT INTO public.score VALUES (14, 28, 'notice', 'estimated_error', '', 40, '0x1.2bb9046133333p-3', '0x1.61a5c65b58a68p-2');
INSERT INTO public.score VALUES (14, 29, 'notice', 'estimated_brier', '', 40, '0x1.d87580b333333p-4', '0x1.62c4eaa4979dep-1');
INSERT INTO public.score VALUES (14, 30, 'notice', 'output:late', '', 40, '0x1.10bcb130ccccdp-3', '0x1.969d53bebee40p-3');
INSERT INTO public.score VALUES (14, 31, 'notice', 'output:confidence', '', 40, '0x1.bbd0d3ccccccdp-1', '0x1.969d7b1423d30p-3');
INSERT INTO public.score VALUES (14, 32, 'notice', 'input:temp:location', '', 40, '0x1.e40a032f66666p-2', '0x1.1f23705df76e2p+0');
INSERT INTO public.score VALUES (14, 33, 'notice', 'input:temp:spread', '', 40, '0x1.dbb47398b3333p-2', '-0x1.3ca40a3fa14d0p-3');
INSERT INTO public.score VALUES (14, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.b333333333333p-2', '0x1.c2fbef3747480p-2');
INSERT INTO public.score VALUES (14, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.2666666666666p-1', '0x1.c2fbef3747498p-2');
INSERT INTO public.score VALUES (14, 36, 'notice', 'joint', '', 40, '0x1.e439581080000p-2', '-0x1.dfe04ea42e8a3p-1');
INSERT INTO public.score VALUES (14, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (14, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (14, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (14, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (14, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (14, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.819d34dcbedb1p+0');
INSERT INTO public.score VALUES (15, 0, 'page', 'error', '', 40, '0x1.f333333333333p-1', '0x1.ac244b876627bp+1');
INSERT INTO public.score VALUES (15, 1, 'page', 'brier', '', 40, '0x1.9775ac570cccdp-1', '0x1.79f973bb249ffp+1');
INSERT INTO public.score VALUES (15, 2, 'page', 'surprise_error', '', 40, '0x1.bec1b9029999ap-1', '0x1.9202c96489a15p+1');
INSERT INTO public.score VALUES (15, 3, 'page', 'surprise_brier', '', 40, '0x1.6be69eeeb3334p-1', '0x1.6c2bbf4055015p+1');
INSERT INTO public.score VALUES (15, 4, 'page', 'rank:late', '', 39, '0x1.11f7047dd89d9p-1', '-0x1.d1f5cc75781bfp+0');
INSERT INTO public.score VALUES (15, 5, 'page', 'surprise_rank:late', '', 40, '0x1.dd6e2df9e69ccp+0', '0x1.8447e71abec00p-2');
INSERT INTO public.score VALUES (15, 6, 'page', 'material_error', '', 40, '0x1.f333333333333p-1', '0x1.882a7bb79bd8cp-1');
INSERT INTO public.score VALUES (15, 7, 'page', 'material_brier', '', 40, '0x1.9775ac570cccdp-1', '0x1.f014a02ca7060p-2');
INSERT INTO public.score VALUES (15, 8, 'page', 'material_rank:late', '', 39, '0x1.11f7047dd89d9p-1', '-0x1.068aaed0bee2cp+2');
INSERT INTO public.score VALUES (15, 9, 'page', 'residual:late', '', 40, '0x1.bec1b9029999ap-1', '0x1.3982f1893c7e1p+1');
INSERT INTO public.score VALUES (15, 10, 'page', 'calibration_slope', '', 40, '-0x1.e56a69b0e0880p-1', '-0x1.25dbc5622b6ebp+0');
INSERT INTO public.score VALUES (15, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (15, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (15, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (15, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.6f776c8233c50p-3');
INSERT INTO public.score VALUES (15, 15, 'page', 'error', 'origin=EWR', 46, '0x1.f4de9bd37a6f5p-1', '-0x1.328f7a1f6c1ddp+0');
INSERT INTO public.score VALUES (15, 16, 'page', 'brier', 'origin=EWR', 46, '0x1.b66ab15a7a6f5p-1', '-0x1.8859833e6ff02p+0');
INSERT INTO public.score VALUES (15, 17, 'page', 'surprise_error', 'origin=EWR', 46, '0x1.d4e5abb3a6f4ep-1', '-0x1.9a242dc10720bp+0');
INSERT INTO public.score VALUES (15, 18, 'page', 'surprise_brier', 'origin=EWR', 46, '0x1.9912f06cf4deap-1', '-0x1.ec1b8df159dc4p+0');
INSERT INTO public.score VALUES (15, 19, 'page', 'material_error', 'origin=EWR', 46, '0x1.f4de9bd37a6f5p-1', '-0x1.cf49c32b56074p+0');
INSERT INTO public.score VALUES (15, 20, 'page', 'material_brier', 'origin=EWR', 46, '0x1.b66ab15a7a6f5p-1', '-0x1.161f734d4199fp+1');
INSERT INTO public.score VALUES (15, 21, 'page', 'error', 'origin=JFK', 12, NULL, '0x1.3cc1bea7c24dfp+1');
INSERT INTO public.score VALUES (15, 22, 'page', 'brier', 'origin=JFK', 12, NULL, '0x1.7e1eaaffa11b7p+1');
INSERT INTO public.score VALUES (15, 23, 'page', 'surprise_error', 'origin=JFK', 12, NULL, '0x1.2f1de9c02ba07p+1');
INSERT INTO public.score VALUES (15, 24, 'page', 'surprise_brier', 'origin=JFK', 12, NULL, '0x1.6a31d39332024p+1');
INSERT INTO public.score VALUES (15, 25, 'page', 'material_error', 'origin=JFK', 12, NULL, '0x1.e5beb55d31d60p-2');
INSERT INTO public.score VALUES (15, 26, 'page', 'material_brier', 'origin=JFK', 12, NULL, '0x1.71f8cd001e9f0p-2');
INSERT INTO public.score VALUES (15, 27, 'notice', 'label:late', '', 40, '0x1.f333333333333p-1', '0x1.3e4b1d55a2a77p+1');
INSERT INTO public.score VALUES (15, 28, 'notice', 'estimated_error', '', 40, '0x1.9a3d2fa800000p-4', '-0x1.fdb7df9bc5e16p-1');
INSERT INTO public.score VALUES (15, 29, 'notice', 'estimated_brier', '', 40, '0x1.52068e6933333p-4', '-0x1.81b670eaf4d07p-1');
INSERT INTO public.score VALUES (15, 30, 'notice', 'output:late', '', 40, '0x1.979948999999ap-4', '0x1.04affe72a4318p+0');
INSERT INTO public.score VALUES (15, 31, 'notice', 'output:confidence', '', 40, '0x1.cd0cd68000000p-1', '0x1.04afe9e466674p+0');
INSERT INTO public.score VALUES (15, 32, 'notice', 'input:temp:location', '', 40, '0x1.e86f0c0fccccdp-2', '0x1.264405c489546p+0');
INSERT INTO public.score VALUES (15, 33, 'notice', 'input:temp:spread', '', 40, '0x1.03d70a3d40000p-1', '-0x1.3998dd65ee39ep-1');
INSERT INTO public.score VALUES (15, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.6666666666666p-1', '0x1.db73fdb7d38ecp-1');
INSERT INTO public.score VALUES (15, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.3333333333333p-2', '0x1.db73fdb7d38f0p-1');
INSERT INTO public.score VALUES (15, 36, 'notice', 'joint', '', 40, '0x1.f89abcdee6666p-2', '-0x1.08839d207b5fap-1');
INSERT INTO public.score VALUES (15, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (15, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (15, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (15, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (15, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (15, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.80d86aa093d78p+0');
INSERT INTO public.score VALUES (16, 0, 'page', 'error', '', 40, '0x1.a666666666666p-1', '0x1.7de05f651792ap+0');
INSERT INTO public.score VALUES (16, 1, 'page', 'brier', '', 40, '0x1.5280c5eac0000p-1', '0x1.d4e052fc5cd44p-1');
INSERT INTO public.score VALUES (16, 2, 'page', 'surprise_error', '', 40, '0x1.67f09e291999ap-1', '0x1.473b3dd28a462p+0');
INSERT INTO public.score VALUES (16, 3, 'page', 'surprise_brier', '', 40, '0x1.20b4340a1999ap-1', '0x1.6057a0816e734p-1');
INSERT INTO public.score VALUES (16, 4, 'page', 'rank:late', '', 33, '0x1.fa109735364d9p-2', '-0x1.3a62aa33ec4acp+1');
INSERT INTO public.score VALUES (16, 5, 'page', 'surprise_rank:late', '', 40, '0x1.5fd8fdf89854cp+0', '-0x1.2db08ce20e7eep+1');
INSERT INTO public.score VALUES (16, 6, 'page', 'material_error', '', 40, '0x1.a666666666666p-1', '-0x1.f497caa0beb47p-1');
INSERT INTO public.score VALUES (16, 7, 'page', 'material_brier', '', 40, '0x1.5280c5eac0000p-1', '-0x1.9412f9f16dab5p+0');
INSERT INTO public.score VALUES (16, 8, 'page', 'material_rank:late', '', 33, '0x1.fa109735364d9p-2', '-0x1.0900b515c1c4cp+2');
INSERT INTO public.score VALUES (16, 9, 'page', 'residual:late', '', 40, '0x1.67f09e291999ap-1', '0x1.31568a75f2e08p-1');
INSERT INTO public.score VALUES (16, 10, 'page', 'calibration_slope', '', 40, '-0x1.75d5326eccff0p-1', '-0x1.784376a8540dbp+1');
INSERT INTO public.score VALUES (16, 11, 'page', 'unusable_answers', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (16, 12, 'page', 'missing:temp', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (16, 13, 'page', 'missing:origin', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (16, 14, 'page', 'unseen:origin', '', 40, '0x0.0p+0', '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (16, 15, 'page', 'error', 'origin=EWR', 20, '0x1.999999999999ap-1', '-0x1.829a115b029c6p+1');
INSERT INTO public.score VALUES (16, 16, 'page', 'brier', 'origin=EWR', 20, '0x1.646ad0de9999ap-1', '-0x1.8ddfd03d5e2a1p+1');
INSERT INTO public.score VALUES (16, 17, 'page', 'surprise_error', 'origin=EWR', 20, '0x1.7a6fcdaf9999ap-1', '-0x1.8fd96d5964878p+1');
INSERT INTO public.score VALUES (16, 18, 'page', 'surprise_brier', 'origin=EWR', 20, '0x1.47ac599700000p-1', '-0x1.9940e6164111bp+1');
INSERT INTO public.score VALUES (16, 19, 'page', 'material_error', 'origin=EWR', 20, '0x1.999999999999ap-1', '-0x1.972e0af2494f4p+1');
INSERT INTO public.score VALUES (16, 20, 'page', 'material_brier', 'origin=EWR', 20, '0x1.646ad0de9999ap-1', '-0x1.a2056f8800c33p+1');
INSERT INTO public.score VALUES (16, 21, 'page', 'error', 'origin=JFK', 32, '0x1.d000000000000p-1', '0x1.f9367e53c6cbbp+1');
INSERT INTO public.score VALUES (16, 22, 'page', 'brier', 'origin=JFK', 32, '0x1.484e2bde10000p-1', '0x1.658d7e2e2606cp+2');
INSERT INTO public.score VALUES (16, 23, 'page', 'surprise_error', 'origin=JFK', 32, '0x1.6e1728d000000p-1', '0x1.f498d9c102705p+1');
INSERT INTO public.score VALUES (16, 24, 'page', 'surprise_brier', 'origin=JFK', 32, '0x1.fb99191980000p-2', '0x1.4900964b66f0cp+2');
INSERT INTO public.score VALUES (16, 25, 'page', 'material_error', 'origin=JFK', 32, '0x1.d000000000000p-1', '0x1.28cbf736e2e04p-1');
INSERT INTO public.score VALUES (16, 26, 'page', 'material_brier', 'origin=JFK', 32, '0x1.484e2bde10000p-1', '0x1.7f4ad0e37ddf4p-1');
INSERT INTO public.score VALUES (16, 27, 'notice', 'label:late', '', 40, '0x1.a666666666666p-1', '0x1.fff516da29e90p-2');
INSERT INTO public.score VALUES (16, 28, 'notice', 'estimated_error', '', 40, '0x1.d830508e66666p-4', '-0x1.0059ef0db9357p+0');
INSERT INTO public.score VALUES (16, 29, 'notice', 'estimated_brier', '', 40, '0x1.7b291fb200000p-4', '-0x1.af1544d61b371p-1');
INSERT INTO public.score VALUES (16, 30, 'notice', 'output:late', '', 40, '0x1.c623ef3000000p-4', '0x1.516e5edda2ca6p+0');
INSERT INTO public.score VALUES (16, 31, 'notice', 'output:confidence', '', 40, '0x1.c73b826666666p-1', '0x1.516e5107c8e7cp+0');
INSERT INTO public.score VALUES (16, 32, 'notice', 'input:temp:location', '', 40, '0x1.ec02bb0ce6666p-2', '0x1.23181faeb48a6p+0');
INSERT INTO public.score VALUES (16, 33, 'notice', 'input:temp:spread', '', 40, '0x1.03d8dc461999ap-1', '-0x1.648b89156b256p-1');
INSERT INTO public.score VALUES (16, 34, 'notice', 'input:origin=EWR', '', 40, '0x1.199999999999ap-1', '0x1.85c90e3522f7cp-1');
INSERT INTO public.score VALUES (16, 35, 'notice', 'input:origin=JFK', '', 40, '0x1.ccccccccccccdp-2', '0x1.85c90e3522f80p-1');
INSERT INTO public.score VALUES (16, 36, 'notice', 'joint', '', 40, '0x1.11af720133333p-1', '0x1.50abf99d28e40p-2');
INSERT INTO public.score VALUES (16, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (16, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (16, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (16, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (16, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (16, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.80a2cfb2d935fp+0');
INSERT INTO public.score VALUES (17, 0, 'page', 'error', '', 3, NULL, '0x1.7de05f651792ap+0');
INSERT INTO public.score VALUES (17, 1, 'page', 'brier', '', 3, NULL, '0x1.d4e052fc5cd44p-1');
INSERT INTO public.score VALUES (17, 2, 'page', 'surprise_error', '', 3, NULL, '0x1.473b3dd28a462p+0');
INSERT INTO public.score VALUES (17, 3, 'page', 'surprise_brier', '', 3, NULL, '0x1.6057a0816e734p-1');
INSERT INTO public.score VALUES (17, 4, 'page', 'rank:late', '', 3, NULL, '-0x1.3a62aa33ec4acp+1');
INSERT INTO public.score VALUES (17, 5, 'page', 'surprise_rank:late', '', 3, NULL, '-0x1.2db08ce20e7eep+1');
INSERT INTO public.score VALUES (17, 6, 'page', 'material_error', '', 3, NULL, '-0x1.f497caa0beb47p-1');
INSERT INTO public.score VALUES (17, 7, 'page', 'material_brier', '', 3, NULL, '-0x1.9412f9f16dab5p+0');
INSERT INTO public.score VALUES (17, 8, 'page', 'material_rank:late', '', 3, NULL, '-0x1.0900b515c1c4cp+2');
INSERT INTO public.score VALUES (17, 9, 'page', 'residual:late', '', 3, NULL, '0x1.31568a75f2e08p-1');
INSERT INTO public.score VALUES (17, 10, 'page', 'calibration_slope', '', 3, NULL, '-0x1.784376a8540dbp+1');
INSERT INTO public.score VALUES (17, 11, 'page', 'unusable_answers', '', 0, NULL, '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (17, 12, 'page', 'missing:temp', '', 0, NULL, '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (17, 13, 'page', 'missing:origin', '', 0, NULL, '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (17, 14, 'page', 'unseen:origin', '', 0, NULL, '-0x1.993a0585e8fb0p-4');
INSERT INTO public.score VALUES (17, 15, 'page', 'error', 'origin=EWR', 3, NULL, '-0x1.829a115b029c6p+1');
INSERT INTO public.score VALUES (17, 16, 'page', 'brier', 'origin=EWR', 3, NULL, '-0x1.8ddfd03d5e2a1p+1');
INSERT INTO public.score VALUES (17, 17, 'page', 'surprise_error', 'origin=EWR', 3, NULL, '-0x1.8fd96d5964878p+1');
INSERT INTO public.score VALUES (17, 18, 'page', 'surprise_brier', 'origin=EWR', 3, NULL, '-0x1.9940e6164111bp+1');
INSERT INTO public.score VALUES (17, 19, 'page', 'material_error', 'origin=EWR', 3, NULL, '-0x1.972e0af2494f4p+1');
INSERT INTO public.score VALUES (17, 20, 'page', 'material_brier', 'origin=EWR', 3, NULL, '-0x1.a2056f8800c33p+1');
INSERT INTO public.score VALUES (17, 21, 'page', 'error', 'origin=JFK', 0, NULL, '0x1.f9367e53c6cbbp+1');
INSERT INTO public.score VALUES (17, 22, 'page', 'brier', 'origin=JFK', 0, NULL, '0x1.658d7e2e2606cp+2');
INSERT INTO public.score VALUES (17, 23, 'page', 'surprise_error', 'origin=JFK', 0, NULL, '0x1.f498d9c102705p+1');
INSERT INTO public.score VALUES (17, 24, 'page', 'surprise_brier', 'origin=JFK', 0, NULL, '0x1.4900964b66f0cp+2');
INSERT INTO public.score VALUES (17, 25, 'page', 'material_error', 'origin=JFK', 0, NULL, '0x1.28cbf736e2e04p-1');
INSERT INTO public.score VALUES (17, 26, 'page', 'material_brier', 'origin=JFK', 0, NULL, '0x1.7f4ad0e37ddf4p-1');
INSERT INTO public.score VALUES (17, 27, 'notice', 'label:late', '', 3, NULL, '0x1.fff516da29e90p-2');
INSERT INTO public.score VALUES (17, 28, 'notice', 'estimated_error', '', 0, NULL, '-0x1.0059ef0db9357p+0');
INSERT INTO public.score VALUES (17, 29, 'notice', 'estimated_brier', '', 0, NULL, '-0x1.af1544d61b371p-1');
INSERT INTO public.score VALUES (17, 30, 'notice', 'output:late', '', 0, NULL, '0x1.516e5edda2ca6p+0');
INSERT INTO public.score VALUES (17, 31, 'notice', 'output:confidence', '', 0, NULL, '0x1.516e5107c8e7cp+0');
INSERT INTO public.score VALUES (17, 32, 'notice', 'input:temp:location', '', 0, NULL, '0x1.23181faeb48a6p+0');
INSERT INTO public.score VALUES (17, 33, 'notice', 'input:temp:spread', '', 0, NULL, '-0x1.648b89156b256p-1');
INSERT INTO public.score VALUES (17, 34, 'notice', 'input:origin=EWR', '', 0, NULL, '0x1.85c90e3522f7cp-1');
INSERT INTO public.score VALUES (17, 35, 'notice', 'input:origin=JFK', '', 0, NULL, '0x1.85c90e3522f80p-1');
INSERT INTO public.score VALUES (17, 36, 'notice', 'joint', '', 0, NULL, '0x1.50abf99d28e40p-2');
INSERT INTO public.score VALUES (17, 37, 'notice', 'labelled:score=lowest', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (17, 38, 'notice', 'labelled:score=low', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (17, 39, 'notice', 'labelled:score=high', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (17, 40, 'notice', 'labelled:score=highest', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (17, 41, 'notice', 'labelled:origin=EWR', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (17, 42, 'notice', 'labelled:origin=JFK', '', 40, '0x0.0p+0', '-0x1.80940272faf4bp+0');
INSERT INTO public.score VALUES (18, 0, 'page', 'watch_0', '', 900, '-0x0.0p+0', '-0x0.0p+0');
INSERT INTO public.score VALUES (18, 1, 'notice', 'watch_1', '', 900, '0x0.0000000000001p-1022', '0x0.0000000000001p-1022');
INSERT INTO public.score VALUES (18, 2, 'page', 'watch_2', '', 900, 'inf', 'inf');
INSERT INTO public.score VALUES (18, 3, 'notice', 'watch_3', '', 900, '-inf', '-inf');
INSERT INTO public.score VALUES (18, 4, 'page', 'watch_4', '', 900, '0x1.999999999999ap-4', '0x1.999999999999ap-4');
INSERT INTO public.score VALUES (18, 5, 'notice', 'watch_5', '', 900, '0x1.fffffffffffffp+1023', '0x1.fffffffffffffp+1023');
INSERT INTO public.score VALUES (18, 6, 'page', 'watch_6', '', 900, NULL, '-0x0.0p+0');
INSERT INTO public.score VALUES (19, 0, 'page', 'watch_0', '', 900, '-0x0.0p+0', '0x0.0000000000001p-1022');
INSERT INTO public.score VALUES (19, 1, 'notice', 'watch_1', '', 900, '0x0.0000000000001p-1022', 'inf');
INSERT INTO public.score VALUES (19, 2, 'page', 'watch_2', '', 900, 'inf', '-inf');
INSERT INTO public.score VALUES (19, 3, 'notice', 'watch_3', '', 900, '-inf', '0x1.999999999999ap-4');
INSERT INTO public.score VALUES (19, 4, 'page', 'watch_4', '', 900, '0x1.999999999999ap-4', '0x1.fffffffffffffp+1023');
INSERT INTO public.score VALUES (19, 5, 'notice', 'watch_5', '', 900, '0x1.fffffffffffffp+1023', '-0x0.0p+0');
INSERT INTO public.score VALUES (19, 6, 'page', 'watch_6', '', 900, NULL, '0x0.0000000000001p-1022');
INSERT INTO public.score VALUES (20, 0, 'page', 'watch_0', '', 900, '-0x0.0p+0', 'inf');
INSERT INTO public.score VALUES (20, 1, 'notice', 'watch_1', '', 900, '0x0.0000000000001p-1022', '-inf');
INSERT INTO public.score VALUES (20, 2, 'page', 'watch_2', '', 900, 'inf', '0x1.999999999999ap-4');
INSERT INTO public.score VALUES (20, 3, 'notice', 'watch_3', '', 900, '-inf', '0x1.fffffffffffffp+1023');
INSERT INTO public.score VALUES (20, 4, 'page', 'watch_4', '', 900, '0x1.999999999999ap-4', '-0x0.0p+0');
INSERT INTO public.score VALUES (20, 5, 'notice', 'watch_5', '', 900, '0x1.fffffffffffffp+1023', '0x0.0000000000001p-1022');
INSERT INTO public.score VALUES (20, 6, 'page', 'watch_6', '', 900, NULL, 'inf');
INSERT INTO public."window" VALUES (1, 1, '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 40, 37, 40, 0, 0, 'ok', '-0x1.c97a50556af10p-1', '-0x1.0c3deead6f8e2p+0', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.15982092549675145, "low": 0.06759547381168744, "high": 0.25204637718181544, "checked": 37, "expected": 0.15861614765221807, "half": 0.09535162230856498, "realised": 0.08108108108108109, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 1, "misses": 0, "log_doubt": [0.6359887667199967, 0.5108256237659907, 0.2006706954621511], "trusted": true}, "confusion": [[0.8401790745032486, 0.15982092549675145], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.12236611407715828, "low": 0.06330668286217339, "high": 0.18142554529214316, "checked": 37, "expected": 0.12118951683687801, "half": 0.061114357680109664, "realised": 0.08745365467778332, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 1, "misses": 0, "log_doubt": [0.6359887667199967, 0.5108256237659907, 0.2006706954621511], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 37, "expected": 0.08108108108108109, "half": 0.199375669254017, "realised": 0.08108108108108109, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 1, "misses": 0, "log_doubt": [0.6359887667199967, 0.5108256237659907, 0.2006706954621511], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.15700181270949543, "low": 0.06527639432676634, "high": 0.2487272310922245, "checked": 37, "expected": 0.15486516919918358, "half": 0.09475665473925071, "realised": 0.08108108108108109, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 1, "misses": 0, "log_doubt": [0.6359887667199967, 0.5108256237659907, 0.2006706954621511], "trusted": true}, "confusion": [], "effective": 1638.8601854665653}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.12040085438638926, "low": 0.06333776455368859, "high": 0.17746394421908993, "checked": 37, "expected": 0.11883754283189774, "half": 0.05923476030926281, "realised": 0.08745365467778332, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 1, "misses": 0, "log_doubt": [0.6359887667199967, 0.5108256237659907, 0.2006706954621511], "trusted": true}, "confusion": [], "effective": 1638.8601854665653}], "settled": [{"start": "2013-04-01T00:00:00+00:00", "rows": 37, "error": 12884901888, "brier": 13897591710}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 37, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (2, 1, '2013-04-02 00:00:00+00', '2013-04-03 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '-0x1.96f72d0a793c2p-1', '-0x1.3e083882efbecp-1', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.13496141364448705, "low": 0.04957377570748048, "high": 0.22034905158149362, "checked": 40, "expected": 0.12424567468115129, "half": 0.08305229475186168, "realised": 0.1, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 2, "misses": 0, "log_doubt": [0.9854481988680208, 0.7472144018302211, 0.2402798335571969], "trusted": true}, "confusion": [[0.865038586355513, 0.13496141364448705], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.10502509324578568, "low": 0.04805718252893124, "high": 0.16199300396264013, "checked": 40, "expected": 0.09876809102715925, "half": 0.0567665337180436, "realised": 0.09105177934397943, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 2, "misses": 0, "log_doubt": [0.9854481988680208, 0.7472144018302211, 0.2402798335571969], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.125, "low": 0.0, "high": 0.33170525949195184, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 0.1, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 2, "misses": 0, "log_doubt": [0.9854481988680208, 0.7472144018302211, 0.2402798335571969], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.13192334049381316, "low": 0.0467577006123496, "high": 0.2170889803752767, "checked": 40, "expected": 0.12437874684110284, "half": 0.08302795512923253, "realised": 0.1, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 2, "misses": 0, "log_doubt": [0.9854481988680208, 0.7472144018302211, 0.2402798335571969], "trusted": true}, "confusion": [], "effective": 1606.7266646343023}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.10481811733916402, "low": 0.04933447138044756, "high": 0.16030176329788048, "checked": 40, "expected": 0.09976295684464276, "half": 0.05505601751661221, "realised": 0.09105177934397943, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 2, "misses": 0, "log_doubt": [0.9854481988680208, 0.7472144018302211, 0.2402798335571969], "trusted": true}, "confusion": [], "effective": 1606.7266646343023}], "settled": [{"start": "2013-04-01T00:00:00+00:00", "rows": 3, "error": 0, "brier": 422688010}, {"start": "2013-04-02T00:00:00+00:00", "rows": 37, "error": 17179869184, "brier": 15219888571}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (3, 1, '2013-04-03 00:00:00+00', '2013-04-04 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '0x1.c8547be14bec5p+0', '-0x1.f09b580691c0cp-2', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.1316192556230817, "low": 0.046919022129866705, "high": 0.21631948911629667, "checked": 40, "expected": 0.1316192556230817, "half": 0.08470023349321498, "realised": 0.225, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 3, "misses": 1, "log_doubt": [1.8497177459912972, 2.245426679154097, 2.413485789027487], "trusted": true}, "confusion": [[0.8683807443769183, 0.1316192556230817], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.10327362092211842, "low": 0.04525518545021249, "high": 0.16129205639402436, "checked": 40, "expected": 0.1032441816991195, "half": 0.05799165733929515, "realised": 0.19607162271859124, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 3, "misses": 1, "log_doubt": [1.8497177459912972, 2.245426679154097, 2.413485789027487], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.1, "low": 0.0, "high": 0.30180827484020856, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 0.225, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 3, "misses": 0, "log_doubt": [1.2182733544681323, 0.8785504038913081, 0.24887279728002878], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.12536885007284582, "low": 0.042118141816948326, "high": 0.2086195583287433, "checked": 40, "expected": 0.12555212015286088, "half": 0.08330330773885736, "realised": 0.225, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 3, "misses": 1, "log_doubt": [1.8497177459912972, 2.245426679154097, 2.413485789027487], "trusted": true}, "confusion": [], "effective": 1773.5845684278602}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09993671532720327, "low": 0.04470192087544346, "high": 0.1551715097789631, "checked": 40, "expected": 0.10004529473371804, "half": 0.0552396153792856, "realised": 0.19607162271859124, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 3, "misses": 1, "log_doubt": [1.8497177459912972, 2.245426679154097, 2.413485789027487], "trusted": true}, "confusion": [], "effective": 1773.5845684278602}], "settled": [{"start": "2013-04-02T00:00:00+00:00", "rows": 3, "error": 0, "brier": 762927982}, {"start": "2013-04-03T00:00:00+00:00", "rows": 37, "error": 38654705664, "brier": 32921920308}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (4, 1, '2013-04-04 00:00:00+00', '2013-04-05 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '-0x1.40408e822d81cp-1', '-0x1.842fee58c8dd8p-3', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.12929536409210413, "low": 0.0446766545865971, "high": 0.21391407359761117, "checked": 40, "expected": 0.1383143922430463, "half": 0.08654969105056044, "realised": 0.05, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 4, "misses": 2, "log_doubt": [2.618566634967191, 3.6578473448662074, 4.504053054974204], "trusted": true}, "confusion": [[0.8707046359078958, 0.12929536409210413], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.1023318591818679, "low": 0.044860478774400706, "high": 0.15980323958933512, "checked": 40, "expected": 0.10768534856033511, "half": 0.05768664396598444, "realised": 0.04822828540345654, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 4, "misses": 2, "log_doubt": [2.618566634967191, 3.6578473448662074, 4.504053054974204], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.05, "low": 0.0, "high": 0.24062638907492317, "checked": 40, "expected": 0.075, "half": 0.19646127289618887, "realised": 0.05, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 4, "misses": 0, "log_doubt": [1.3877032142801005, 0.9574089788036277, 0.25077235857779806], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.1309750818181783, "low": 0.04608045646766641, "high": 0.2158697071686902, "checked": 40, "expected": 0.1375297922641039, "half": 0.0866909315131199, "realised": 0.05, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 4, "misses": 2, "log_doubt": [2.618566634967191, 3.6578473448662074, 4.504053054974204], "trusted": true}, "confusion": [], "effective": 1668.1448918821752}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.10349404322914779, "low": 0.047639067789750016, "high": 0.15934901866854556, "checked": 40, "expected": 0.10770821920596063, "half": 0.056133618022924915, "realised": 0.04822828540345654, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 4, "misses": 2, "log_doubt": [2.618566634967191, 3.6578473448662074, 4.504053054974204], "trusted": true}, "confusion": [], "effective": 1668.1448918821752}], "settled": [{"start": "2013-04-03T00:00:00+00:00", "rows": 3, "error": 8589934592, "brier": 5108445402}, {"start": "2013-04-04T00:00:00+00:00", "rows": 37, "error": 0, "brier": 3177110940}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (5, 1, '2013-04-05 00:00:00+00', '2013-04-06 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '-0x1.54b99a94cd022p-1', '-0x1.b99ca60f02160p-4', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.1569859743351117, "low": 0.06473764842573641, "high": 0.24923430024448695, "checked": 40, "expected": 0.16448527370230295, "half": 0.09435209322839615, "realised": 0.075, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 5, "misses": 2, "log_doubt": [2.579613912703824, 3.290334788850345, 3.0485641642162733], "trusted": true}, "confusion": [[0.8430140256648884, 0.1569859743351117], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.12156632713740692, "low": 0.06291362428314684, "high": 0.180219029991667, "checked": 40, "expected": 0.12726331209414637, "half": 0.05990460213068629, "realised": 0.07510354550322518, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 5, "misses": 2, "log_doubt": [2.579613912703824, 3.290334788850345, 3.0485641642162733], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.025, "low": 0.0, "high": 0.2092572797399355, "checked": 40, "expected": 0.0, "half": 0.1772963805278644, "realised": 0.075, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 5, "misses": 0, "log_doubt": [1.51744725206397, 1.0067255973153058, 0.2511939937378754], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.1574601975735277, "low": 0.06562461317127635, "high": 0.24929578197577903, "checked": 40, "expected": 0.1632564328610897, "half": 0.09320584958876177, "realised": 0.075, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 5, "misses": 2, "log_doubt": [2.579613912703824, 3.290334788850345, 3.0485641642162733], "trusted": true}, "confusion": [], "effective": 1652.1897184746451}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.12062805402092636, "low": 0.06391743126738472, "high": 0.177338676774468, "checked": 40, "expected": 0.12536479090340436, "half": 0.05737435699924678, "realised": 0.07510354550322518, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 5, "misses": 2, "log_doubt": [2.579613912703824, 3.290334788850345, 3.0485641642162733], "trusted": true}, "confusion": [], "effective": 1652.1897184746451}], "settled": [{"start": "2013-04-04T00:00:00+00:00", "rows": 3, "error": 0, "brier": 475605983}, {"start": "2013-04-05T00:00:00+00:00", "rows": 37, "error": 12884901888, "brier": 12427084887}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (6, 1, '2013-04-06 00:00:00+00', '2013-04-07 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '0x1.51bad13e780cep+1', '-0x1.2edd494d4b400p-9', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.11839964310638607, "low": 0.03717931490821845, "high": 0.19961997130455367, "checked": 40, "expected": 0.11540364967659116, "half": 0.08008318366786914, "realised": 0.775, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 6, "misses": 3, "log_doubt": [3.3099621071639955, 4.6858964206875555, 5.133916573854711], "trusted": true}, "confusion": [[0.8816003568936139, 0.11839964310638607], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.09429103197180666, "low": 0.03789857498613215, "high": 0.15068348895748118, "checked": 40, "expected": 0.09163197330199183, "half": 0.05531177691789077, "realised": 0.6296517682436388, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 6, "misses": 3, "log_doubt": [3.3099621071639955, 4.6858964206875555, 5.133916573854711], "trusted": true}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 0.775, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 6, "misses": 1, "log_doubt": [2.3146259780156533, 2.4804385206840815, 2.423427940869566], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.11363241006620228, "low": 0.033829719403073374, "high": 0.19343510072933118, "checked": 40, "expected": 0.11162261525169015, "half": 0.0792397689757381, "realised": 0.775, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 6, "misses": 3, "log_doubt": [3.3099621071639955, 4.6858964206875555, 5.133916573854711], "trusted": true}, "confusion": [], "effective": 1615.5116131397438}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09114619810134172, "low": 0.037594136117038573, "high": 0.14469826008564488, "checked": 40, "expected": 0.08927511004731059, "half": 0.053082424916789266, "realised": 0.6296517682436388, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 6, "misses": 3, "log_doubt": [3.3099621071639955, 4.6858964206875555, 5.133916573854711], "trusted": true}, "confusion": [], "effective": 1615.5116131397438}], "settled": [{"start": "2013-04-05T00:00:00+00:00", "rows": 3, "error": 0, "brier": 274625652}, {"start": "2013-04-06T00:00:00+00:00", "rows": 37, "error": 133143986176, "brier": 107898724447}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (7, 1, '2013-04-07 00:00:00+00', '2013-04-08 00:00:00+00', 40, 40, 40, 0, 0, 'ok', '0x1.5eaaf9e4bca5ap+2', '0x1.81b31ded03870p-3', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.12728729515220039, "low": 0.043653422629809466, "high": 0.2109211676745913, "checked": 40, "expected": 0.1197055853146594, "half": 0.08137424929439768, "realised": 0.95, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 7, "misses": 4, "log_doubt": [4.02120337663328, 6.074494242280794, 7.214094523463048], "trusted": false}, "confusion": [[0.8727127048477996, 0.12728729515220039], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.10010517850751058, "low": 0.043444290552018844, "high": 0.1567660664630023, "checked": 40, "expected": 0.094694287533639, "half": 0.05596764309605269, "realised": 0.7654188811371568, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 7, "misses": 4, "log_doubt": [4.02120337663328, 6.074494242280794, 7.214094523463048], "trusted": false}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.05, "half": 0.19062638907492316, "realised": 0.95, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 7, "misses": 2, "log_doubt": [3.055993222952565, 3.8874435551589572, 4.513885745251913], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.12556981318630278, "low": 0.04222987384614449, "high": 0.20890975252646107, "checked": 40, "expected": 0.11881875712424517, "half": 0.08137000391492887, "realised": 0.95, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 7, "misses": 4, "log_doubt": [4.02120337663328, 6.074494242280794, 7.214094523463048], "trusted": false}, "confusion": [], "effective": 1647.9895999567154}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09901154018007219, "low": 0.044487299118709946, "high": 0.15353578124143444, "checked": 40, "expected": 0.09431940992362797, "half": 0.05404686705707616, "realised": 0.7654188811371568, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 7, "misses": 4, "log_doubt": [4.02120337663328, 6.074494242280794, 7.214094523463048], "trusted": false}, "confusion": [], "effective": 1647.9895999567154}], "settled": [{"start": "2013-04-06T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 9983919963}, {"start": "2013-04-07T00:00:00+00:00", "rows": 37, "error": 150323855360, "brier": 121514042526}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (8, 1, '2013-04-08 00:00:00+00', '2013-04-09 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.0da32c608ecd4p+3', '0x1.72c02dd918152p-1', '[]', '{"labels": 320, "waiting": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.11196071925805881, "low": 0.03205364008267521, "high": 0.19186779843344243, "checked": 40, "expected": 0.12483019473729655, "half": 0.0837060164551471, "realised": 0.85, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 8, "misses": 5, "log_doubt": [4.723276290927359, 7.461363640421227, 9.293628078015411], "trusted": false}, "confusion": [[0.8880392807419412, 0.11196071925805881], [0.0, 0.0]], "effective": null}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.09073172848438844, "low": 0.03530389509095904, "high": 0.14615956187781784, "checked": 40, "expected": 0.09973653720226139, "half": 0.05641409688073346, "realised": 0.670888830901822, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 8, "misses": 5, "log_doubt": [4.723276290927359, 7.461363640421227, 9.293628078015411], "trusted": false}, "confusion": [], "effective": null}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.05, "low": 0.0, "high": 0.24062638907492317, "checked": 40, "expected": 0.075, "half": 0.19646127289618887, "realised": 0.85, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 8, "misses": 3, "log_doubt": [3.772405627447673, 5.278849251197731, 6.594695825790973], "trusted": true}, "confusion": [], "effective": null}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.11530263139866292, "low": 0.03500625001559508, "high": 0.19559901278173075, "checked": 40, "expected": 0.1283857140224427, "half": 0.08415252343837179, "realised": 0.85, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 8, "misses": 5, "log_doubt": [4.723276290927359, 7.461363640421227, 9.293628078015411], "trusted": false}, "confusion": [], "effective": 1635.5124828246524}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09234137088060379, "low": 0.03843692208011178, "high": 0.1462458196810958, "checked": 40, "expected": 0.10113698826171458, "half": 0.054912393173276924, "realised": 0.670888830901822, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 8, "misses": 5, "log_doubt": [4.723276290927359, 7.461363640421227, 9.293628078015411], "trusted": false}, "confusion": [], "effective": 1635.5124828246524}], "settled": [{"start": "2013-04-07T00:00:00+00:00", "rows": 3, "error": 8589934592, "brier": 5840452796}, {"start": "2013-04-08T00:00:00+00:00", "rows": 37, "error": 137438953472, "brier": 109417370723}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[]', '-inf', '', '', '');
INSERT INTO public."window" VALUES (9, 1, '2013-04-09 00:00:00+00', '2013-04-10 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.212be9be30463p+2', '0x1.653786c79b43ep-1', '[]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.14098416700726374, "low": 0.05277409682863682, "high": 0.22919423718589066, "checked": 40, "expected": 0.13781919889734126, "half": 0.087504986041928, "realised": 0.8, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 9, "misses": 6, "log_doubt": [5.4208566392749375, 8.847801709144294, 11.373081120709044], "trusted": false}, "confusion": [[0.8590158329927362, 0.14098416700726374], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.11093994334223681, "low": 0.0533102044073744, "high": 0.16856968227709923, "checked": 40, "expected": 0.10913387557957321, "half": 0.0578568183597173, "realised": 0.6130238644953352, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 9, "misses": 6, "log_doubt": [5.4208566392749375, 8.847801709144294, 11.373081120709044], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.125, "low": 0.0, "high": 0.33170525949195184, "checked": 40, "expected": 0.125, "half": 0.20670525949195187, "realised": 0.8, "trusted": true, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 9, "misses": 4, "log_doubt": [4.476985542161465, 6.6664173743068655, 8.674308303215083], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.14573574112728238, "low": 0.05688248496059428, "high": 0.23458899729397048, "checked": 40, "expected": 0.1411227190401405, "half": 0.08767796381036067, "realised": 0.8, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 9, "misses": 6, "log_doubt": [5.4208566392749375, 8.847801709144294, 11.373081120709044], "trusted": false}, "confusion": [], "effective": 1693.5973257742019, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.11397830490022898, "low": 0.05760648190365526, "high": 0.1703501278968027, "checked": 40, "expected": 0.11096865101717412, "half": 0.055986380748328096, "realised": 0.6130238644953352, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 9, "misses": 6, "log_doubt": [5.4208566392749375, 8.847801709144294, 11.373081120709044], "trusted": false}, "confusion": [], "effective": 1693.5973257742019, "outside": 0.0}], "settled": [{"start": "2013-04-08T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 11063112042}, {"start": "2013-04-09T00:00:00+00:00", "rows": 37, "error": 124554051584, "brier": 94253585945}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 1.8566935378239635, "low": 1.5126067615118137, "high": 2.2007803141361135}, {"metric": "auc", "rows": 40, "value": 0.501953125, "low": 0.27967870157806496, "high": 0.7436014373390359}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.6698254424612969, "low": 0.5420487757502965, "high": 0.7754975614874002}]', '0x1.d179aafa5738ap+1', '', '', '');
INSERT INTO public."window" VALUES (10, 1, '2013-04-10 00:00:00+00', '2013-04-11 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.48c2a865054b7p+3', '0x1.d3c70fb85f0e1p+1', '[{"kind": "labels contradict answers", "feature": "labels", "message": "90 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.", "fact": true}]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.1423311011050828, "low": 0.0545575270429524, "high": 0.23010467516721317, "checked": 40, "expected": 0.1454901635297574, "half": 0.0884696156761854, "realised": 0.9, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 10, "misses": 7, "log_doubt": [6.116213055577527, 10.234131993938355, 13.452524100006304], "trusted": false}, "confusion": [[0.8576688988949173, 0.1423311011050828], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.1108843298512511, "low": 0.052418003189306, "high": 0.1693506565131962, "checked": 40, "expected": 0.11264848863356747, "half": 0.05823351291875577, "realised": 0.7122216815594584, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 10, "misses": 7, "log_doubt": [6.116213055577527, 10.234131993938355, 13.452524100006304], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.075, "half": 0.19646127289618887, "realised": 0.9, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 10, "misses": 5, "log_doubt": [5.175800445193085, 8.053029922574549, 10.753771209808637], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.1382411289960146, "low": 0.051396768806004425, "high": 0.22508548918602478, "checked": 40, "expected": 0.14221426425501704, "half": 0.08793192782541574, "realised": 0.9, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 10, "misses": 7, "log_doubt": [6.116213055577527, 10.234131993938355, 13.452524100006304], "trusted": false}, "confusion": [], "effective": 1784.3807316384386, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.10847308463416994, "low": 0.05237619928789175, "high": 0.16456996998044812, "checked": 40, "expected": 0.11108442023396492, "half": 0.05638505434568044, "realised": 0.7122216815594584, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 10, "misses": 7, "log_doubt": [6.116213055577527, 10.234131993938355, 13.452524100006304], "trusted": false}, "confusion": [], "effective": 1784.3807316384386, "outside": 0.0}], "settled": [{"start": "2013-04-09T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 10525163900}, {"start": "2013-04-10T00:00:00+00:00", "rows": 37, "error": 141733920768, "brier": 111833589292}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.289187553612867, "low": 1.935925633499769, "high": 2.642449473725966}, {"metric": "auc", "rows": 40, "value": 0.21180555555555555, "low": 0.09671555756793056, "high": 0.3674116297883929}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.7722410612041131, "low": 0.6777624630947738, "high": 0.869659303622726}]', '0x1.2c1e7362146c0p+3', '90 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.', '', '');
INSERT INTO public."window" VALUES (11, 1, '2013-04-11 00:00:00+00', '2013-04-12 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.14b9400e56886p+1', '-0x1.1d49a224c184ap+0', '[]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.12219054294400848, "low": 0.039625826826999944, "high": 0.20475525906101702, "checked": 40, "expected": 0.11240537705016322, "half": 0.07975158613536162, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 11, "misses": 8, "log_doubt": [6.81046302642941, 11.62043533577515, 15.531965821388173], "trusted": false}, "confusion": [[0.8778094570559916, 0.12219054294400848], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.09709104499197566, "low": 0.04235616114003982, "high": 0.1518259288439115, "checked": 40, "expected": 0.09050795410294085, "half": 0.05432146060363501, "realised": 0.6747120449726935, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 11, "misses": 8, "log_doubt": [6.81046302642941, 11.62043533577515, 15.531965821388173], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.125, "low": 0.0, "high": 0.33170525949195184, "checked": 40, "expected": 0.075, "half": 0.19646127289618887, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 11, "misses": 6, "log_doubt": [5.871769486174156, 9.439403814664676, 12.833215422070593], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.13265934283845127, "low": 0.047336429972994795, "high": 0.21798225570390772, "checked": 40, "expected": 0.12254695408046246, "half": 0.08243332841127951, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 11, "misses": 8, "log_doubt": [6.81046302642941, 11.62043533577515, 15.531965821388173], "trusted": false}, "confusion": [], "effective": 1775.341816839988, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.10445903684012592, "low": 0.04892459812885007, "high": 0.15999347555140175, "checked": 40, "expected": 0.09760440955869853, "half": 0.05491336992437415, "realised": 0.6747120449726935, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 11, "misses": 8, "log_doubt": [6.81046302642941, 11.62043533577515, 15.531965821388173], "trusted": false}, "confusion": [], "effective": 1775.341816839988, "outside": 0.0}], "settled": [{"start": "2013-04-10T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 11026509023}, {"start": "2013-04-11T00:00:00+00:00", "rows": 37, "error": 128849018880, "brier": 104888137672}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.213630334229194, "low": 1.817009410983089, "high": 2.6102512574752983}, {"metric": "auc", "rows": 40, "value": 0.329004329004329, "low": 0.11509144981177769, "high": 0.5937112414784445}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.7242990946397185, "low": 0.6052347661873708, "high": 0.8299115928267434}]', '-0x1.4c8a779aeeeb0p-1', '', '', '');
INSERT INTO public."window" VALUES (12, 1, '2013-04-12 00:00:00+00', '2013-04-13 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.eb147fc7a5776p+2', '-0x1.acda21d908690p-3', '[{"kind": "labels contradict answers", "feature": "labels", "message": "85 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.", "fact": true}]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.11313436770578847, "low": 0.032988750777313294, "high": 0.19327998463426366, "checked": 40, "expected": 0.12073186930501834, "half": 0.08215330214268574, "realised": 0.85, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 12, "misses": 9, "log_doubt": [7.5041611464154485, 13.006731942061664, 17.61140738553076], "trusted": false}, "confusion": [[0.8868656322942116, 0.11313436770578847], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.09124807910411618, "low": 0.035872563416879555, "high": 0.1466235947913528, "checked": 40, "expected": 0.09598877197131514, "half": 0.05508184376880156, "realised": 0.6952204483619425, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 12, "misses": 9, "log_doubt": [7.5041611464154485, 13.006731942061664, 17.61140738553076], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.05, "low": 0.0, "high": 0.24062638907492317, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 0.85, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 12, "misses": 7, "log_doubt": [6.566324616465245, 10.825718057538856, 14.912657297572693], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.11699620075523853, "low": 0.03621688688425821, "high": 0.19777551462621884, "checked": 40, "expected": 0.1254276882391423, "half": 0.08328937379129425, "realised": 0.85, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 12, "misses": 9, "log_doubt": [7.5041611464154485, 13.006731942061664, 17.61140738553076], "trusted": false}, "confusion": [], "effective": 1685.2047576564466, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09330690558999777, "low": 0.0393006241709351, "high": 0.14731318700906043, "checked": 40, "expected": 0.09868838079273701, "half": 0.05434225743812718, "realised": 0.6952204483619425, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 12, "misses": 9, "log_doubt": [7.5041611464154485, 13.006731942061664, 17.61140738553076], "trusted": false}, "confusion": [], "effective": 1685.2047576564466, "outside": 0.0}], "settled": [{"start": "2013-04-11T00:00:00+00:00", "rows": 3, "error": 8589934592, "brier": 6375199877}, {"start": "2013-04-12T00:00:00+00:00", "rows": 37, "error": 137438953472, "brier": 113062763692}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.3092412689991892, "low": 1.92127269654261, "high": 2.697209841455769}, {"metric": "auc", "rows": 40, "value": 0.2549019607843137, "low": 0.07727045779606717, "high": 0.5099235979995169}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.7352890776470303, "low": 0.6182402000730309, "high": 0.8416734327098043}]', '-0x1.378b0e622c4f0p-4', '85 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.', '', '');
INSERT INTO public."window" VALUES (13, 1, '2013-04-13 00:00:00+00', '2013-04-14 00:00:00+00', 40, 40, 40, 0, 0, 'page', '-0x1.183f4e9cd15e2p-1', '-0x1.3fdb549e20450p-4', '[{"kind": "labels contradict answers", "feature": "labels", "message": "92 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.", "fact": true}]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.12473954379092903, "low": 0.04075422172611663, "high": 0.2087248658557414, "checked": 40, "expected": 0.11720953048206866, "half": 0.08251538301003639, "realised": 0.925, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 13, "misses": 10, "log_doubt": [8.197583682904888, 14.393026864472423, 19.69084893001844], "trusted": false}, "confusion": [[0.875260456209071, 0.12473954379092903], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.10079606397775934, "low": 0.04217210083233249, "high": 0.15942002712318618, "checked": 40, "expected": 0.09671905944705941, "half": 0.05874865811051384, "realised": 0.7450632346502971, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 13, "misses": 10, "log_doubt": [8.197583682904888, 14.393026864472423, 19.69084893001844], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.05, "low": 0.0, "high": 0.24062638907492317, "checked": 40, "expected": 0.025, "half": 0.1842572797399355, "realised": 0.925, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 13, "misses": 8, "log_doubt": [7.2601750292169225, 12.212017389035557, 16.992098880980304], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.12507423548959196, "low": 0.041876048773916, "high": 0.20827242220526793, "checked": 40, "expected": 0.11998332012444735, "half": 0.08174335876899504, "realised": 0.925, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 13, "misses": 10, "log_doubt": [8.197583682904888, 14.393026864472423, 19.69084893001844], "trusted": false}, "confusion": [], "effective": 1735.0054428235637, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.10014685848727822, "low": 0.044536318704696716, "high": 0.15575739826985974, "checked": 40, "expected": 0.09686802350915968, "half": 0.05545116581700918, "realised": 0.7450632346502971, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 13, "misses": 10, "log_doubt": [8.197583682904888, 14.393026864472423, 19.69084893001844], "trusted": false}, "confusion": [], "effective": 1735.0054428235637, "outside": 0.0}], "settled": [{"start": "2013-04-12T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 10580492540}, {"start": "2013-04-13T00:00:00+00:00", "rows": 37, "error": 146028888064, "brier": 117420396511}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.3458441581431426, "low": 2.0326755355965545, "high": 2.6590127806897303}, {"metric": "auc", "rows": 40, "value": 0.1981981981981982, "low": 0.05581312012889447, "high": 0.41013622486318313}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.8119831294054165, "low": 0.7247233973852294, "high": 0.8855583238378901}]', '-0x1.60f8e802509cep-1', '92 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.', '', '');
INSERT INTO public."window" VALUES (14, 1, '2013-04-14 00:00:00+00', '2013-04-15 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.eefebc8777f04p+0', '0x1.e1caf14714448p-2', '[{"kind": "labels contradict answers", "feature": "labels", "message": "100 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.", "fact": true}]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.14634898587828502, "low": 0.056636868564824194, "high": 0.23606110319174584, "checked": 40, "expected": 0.14921120622893796, "half": 0.08972932385918893, "realised": 1.0, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 14, "misses": 11, "log_doubt": [8.890868513001966, 15.779321365914981, 21.770290472049254], "trusted": false}, "confusion": [[0.853651014121715, 0.14634898587828502], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.11534643433988094, "low": 0.055556115308496065, "high": 0.17513675337126583, "checked": 40, "expected": 0.11585027074324898, "half": 0.05888157898478607, "realised": 0.7562951084808447, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 14, "misses": 11, "log_doubt": [8.890868513001966, 15.779321365914981, 21.770290472049254], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 1.0, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 14, "misses": 9, "log_doubt": [7.953673640508817, 13.59831299274579, 19.071540427876112], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.14588209381327033, "low": 0.05696191485309396, "high": 0.2348022727734467, "checked": 40, "expected": 0.14813173399306834, "half": 0.08945881811234549, "realised": 1.0, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 14, "misses": 11, "log_doubt": [8.890868513001966, 15.779321365914981, 21.770290472049254], "trusted": false}, "confusion": [], "effective": 1691.7612359019345, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.11418311693705618, "low": 0.05726353911754052, "high": 0.17110269475657186, "checked": 40, "expected": 0.11546431086026132, "half": 0.05684076411119306, "realised": 0.7562951084808447, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 14, "misses": 11, "log_doubt": [8.890868513001966, 15.779321365914981, 21.770290472049254], "trusted": false}, "confusion": [], "effective": 1691.7612359019345, "outside": 0.0}], "settled": [{"start": "2013-04-13T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 9526196985}, {"start": "2013-04-14T00:00:00+00:00", "rows": 37, "error": 158913789952, "brier": 120404313297}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.2899912341570845, "low": 2.026618627431566, "high": 2.553363840882603}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.8655959037831054, "low": 0.8466970061525372, "high": 0.8919824678176703}]', '0x1.1fdd47faf1000p+1', '100 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.', '', '');
INSERT INTO public."window" VALUES (15, 1, '2013-04-15 00:00:00+00', '2013-04-16 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.4b14e0eea351ep+1', '0x1.10515ee2df3f6p+0', '[{"kind": "labels contradict answers", "feature": "labels", "message": "98 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.", "fact": true}]', '{"labels": 640, "waiting": 0, "waiting late": 0}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.10015600791666657, "low": 0.02386733474013046, "high": 0.17644468109320266, "checked": 40, "expected": 0.1024282631056849, "half": 0.07740044011435854, "realised": 0.975, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 15, "misses": 12, "log_doubt": [9.584084511225855, 17.165615762115536, 23.84973201377296], "trusted": false}, "confusion": [[0.8998439920833334, 0.10015600791666657], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.0825257838179823, "low": 0.027888682536763, "high": 0.1371628850992016, "checked": 40, "expected": 0.08507577796117402, "half": 0.056369474562658124, "realised": 0.7958196502935607, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 15, "misses": 12, "log_doubt": [9.584084511225855, 17.165615762115536, 23.84973201377296], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.05, "half": 0.19062638907492316, "realised": 0.975, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 15, "misses": 10, "log_doubt": [8.64699649013175, 14.984607664513025, 21.150981970207944], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.10660809488035738, "low": 0.0290441748097187, "high": 0.18417201495099605, "checked": 40, "expected": 0.10554088768549263, "half": 0.07723571847722516, "realised": 0.975, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 15, "misses": 12, "log_doubt": [9.584084511225855, 17.165615762115536, 23.84973201377296], "trusted": false}, "confusion": [], "effective": 1561.7856495517683, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.086571813095361, "low": 0.032950760064286926, "high": 0.14019286612643506, "checked": 40, "expected": 0.08638419257476926, "half": 0.053965226398507316, "realised": 0.7958196502935607, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 15, "misses": 12, "log_doubt": [9.584084511225855, 17.165615762115536, 23.84973201377296], "trusted": false}, "confusion": [], "effective": 1561.7856495517683, "outside": 0.0}], "settled": [{"start": "2013-04-14T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 9789414868}, {"start": "2013-04-15T00:00:00+00:00", "rows": 37, "error": 154618822656, "brier": 126931359993}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.571180347596033, "low": 2.279076665518441, "high": 2.863284029673625}, {"metric": "auc", "rows": 40, "value": 0.47435897435897434, "low": 0.33744501433133295, "high": 0.6252392298729508}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.8753613061737269, "low": 0.8096559111466496, "high": 0.9157093659363256}]', '0x1.6bac7dd7e9844p+1', '98 % of 40 labelled rows have another label than the model''s answer; in the baseline''s worst window it was 26.7 %.', '', '');
INSERT INTO public."window" VALUES (16, 1, '2013-04-16 00:00:00+00', '2013-04-17 00:00:00+00', 40, 40, 40, 0, 0, 'page', '0x1.d6eaefec8c70ep+1', '0x1.449d31a9f75bep-1', '[]', '{"labels": 640, "waiting": 0, "waiting late": 0, "open since": 1366070400000000}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 40, "value": 0.1152804514626041, "low": 0.03483912915149098, "high": 0.19572177377371722, "checked": 40, "expected": 0.12199235674343072, "half": 0.08245239237027105, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [[0.8847195485373959, 0.1152804514626041], [0.0, 0.0]], "effective": null, "outside": 0.0}, {"method": "calibrated", "metric": "brier", "rows": 40, "value": 0.09256851559621282, "low": 0.036529693509431735, "high": 0.1486073376829939, "checked": 40, "expected": 0.09726386890979484, "half": 0.056373387737981846, "realised": 0.6611387108860072, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "threshold", "metric": "error", "rows": 40, "value": 0.075, "low": 0.0, "high": 0.2714612728961889, "checked": 40, "expected": 0.1, "half": 0.20180827484020855, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 11, "log_doubt": [9.340231493652187, 16.370902103294735, 23.230423511969278], "trusted": false}, "confusion": [], "effective": null, "outside": 0.0}, {"method": "weighted", "metric": "error", "rows": 40, "value": 0.11803990066982806, "low": 0.03694928437931713, "high": 0.19913051696033898, "checked": 40, "expected": 0.12468432704918087, "half": 0.08305938632747795, "realised": 0.825, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": 1746.6609420256186, "outside": 0.0}, {"method": "weighted", "metric": "brier", "rows": 40, "value": 0.09493296756409109, "low": 0.04032105665923328, "high": 0.1495448784689489, "checked": 40, "expected": 0.09914151299744844, "half": 0.054788890345515304, "realised": 0.6611387108860072, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": 1746.6609420256186, "outside": 0.0}], "settled": [{"start": "2013-04-15T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 9958534690}, {"start": "2013-04-16T00:00:00+00:00", "rows": 37, "error": 128849018880, "brier": 103624230965}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 40, "value": 2.1023298139468505, "low": 1.7317933514871235, "high": 2.4728662764065774}, {"metric": "auc", "rows": 40, "value": 0.4134199134199134, "low": 0.17464638077175065, "high": 0.6368546822741695}, {"metric": "f1", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 40, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 40, "value": 0.709626332577318, "low": 0.5508914863193239, "high": 0.8303180166533861}]', '0x1.0fcf09d8e76d1p+2', '', '', '');
INSERT INTO public."window" VALUES (17, 1, '2013-04-17 00:00:00+00', '2013-04-18 00:00:00+00', 0, 3, 0, 0, 0, 'page', '0x1.d6eaefec8c70ep+1', '0x1.449da18602c2cp-1', '[{"kind": "labels alone", "feature": "", "message": "3 labels of earlier rows arrived after the last row of the traffic, and are counted.", "fact": false}]', '{"labels": 640, "waiting": 0, "waiting late": 0, "open since": 1366070400000000}', '{"estimates": [{"method": "calibrated", "metric": "error", "rows": 0, "value": null, "low": null, "high": null, "checked": 0, "expected": null, "half": null, "realised": null, "trusted": false, "account": {"rows": 3, "expected": 495438328, "realised": 12884901888, "variance": 0.1103781673591584, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [[0.0, 0.0], [0.0, 0.0]], "effective": null, "outside": null}, {"method": "calibrated", "metric": "brier", "rows": 0, "value": null, "low": null, "high": null, "checked": 0, "expected": null, "half": null, "realised": null, "trusted": false, "account": {"rows": 3, "expected": 477436589, "realised": 11697098047, "variance": 0.08719475474208593, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": null, "outside": null}, {"method": "threshold", "metric": "error", "rows": 0, "value": null, "low": null, "high": null, "checked": 0, "expected": null, "half": null, "realised": null, "trusted": false, "account": {"rows": 3, "expected": 0, "realised": 12884901888, "variance": 0.0, "checks": 16, "misses": 11, "log_doubt": [9.340231493652187, 16.370902103294735, 23.230423511969278], "trusted": false}, "confusion": [], "effective": null, "outside": null}, {"method": "weighted", "metric": "error", "rows": 0, "value": null, "low": null, "high": null, "checked": 0, "expected": null, "half": null, "realised": null, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": 0.0, "outside": null}, {"method": "weighted", "metric": "brier", "rows": 0, "value": null, "low": null, "high": null, "checked": 0, "expected": null, "half": null, "realised": null, "trusted": false, "account": {"rows": 0, "expected": 0, "realised": 0, "variance": 0.0, "checks": 16, "misses": 13, "log_doubt": [10.277266098841903, 18.55191013200559, 25.92917355545828], "trusted": false}, "confusion": [], "effective": 0.0, "outside": null}], "settled": [{"start": "2013-04-16T00:00:00+00:00", "rows": 3, "error": 12884901888, "brier": 11697098047}]}', 0, 0, '[0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]', '[{"metric": "log_loss", "rows": 3, "value": 3.203476412717952, "low": 2.567456926877423, "high": 3.8394958985584813}, {"metric": "f1", "rows": 3, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "recall", "rows": 3, "value": 0.0, "low": 0.0, "high": 0.0}, {"metric": "calibration_error", "rows": 3, "value": 0.9524210964639982, "low": 0.9150916277104555, "high": 0.9777817367249666}]', '0x1.0fcf09d8e76d1p+2', '', '', '');
INSERT INTO public."window" VALUES (18, 2, '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 900, 850, 880, 3, 1, 'ok', '-0x0.0p+0', '-inf', '[]', '{"labels": 0}', NULL, 7, 0, '[]', '[]', '-0x0.0p+0', '', '', '');
INSERT INTO public."window" VALUES (19, 2, '2013-04-02 00:00:00+00', '2013-04-03 00:00:00+00', 900, 850, 880, 3, 1, 'ok', '0x0.0000000000001p-1022', '-inf', '[]', '{"labels": 1}', NULL, 7, 0, '[]', '[]', '-0x0.0p+0', '', '', '');
INSERT INTO public."window" VALUES (20, 2, '2013-04-03 00:00:00+00', '2013-04-04 00:00:00+00', 900, 850, 880, 3, 1, 'ok', 'inf', '-inf', '[]', '{"labels": 2}', NULL, 7, 0, '[]', '[]', '-0x0.0p+0', '', '', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-09 00:00:00+00', '2013-04-10 00:00:00+00', 1, '2026-12-02 04:33:36.541531+00', '2026-12-02 04:33:37.196002+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-10 00:00:00+00', '2013-04-11 00:00:00+00', 1, '2026-12-02 04:33:37.198978+00', '2026-12-02 04:33:37.242183+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-11 00:00:00+00', '2013-04-12 00:00:00+00', 1, '2026-12-02 04:33:37.248856+00', '2026-12-02 04:33:37.304249+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-12 00:00:00+00', '2013-04-13 00:00:00+00', 1, '2026-12-02 04:33:37.305913+00', '2026-12-02 04:33:37.456619+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-13 00:00:00+00', '2013-04-14 00:00:00+00', 1, '2026-12-02 04:33:37.461062+00', '2026-12-02 04:33:37.504239+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-14 00:00:00+00', '2013-04-15 00:00:00+00', 1, '2026-12-02 04:33:37.505847+00', '2026-12-02 04:33:37.537006+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-15 00:00:00+00', '2013-04-16 00:00:00+00', 1, '2026-12-02 04:33:37.539252+00', '2026-12-02 04:33:37.581831+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-16 00:00:00+00', '2013-04-17 00:00:00+00', 1, '2026-12-02 04:33:37.583693+00', '2026-12-02 04:33:37.615264+00', '');
INSERT INTO public.window_attempt VALUES (1, '2013-04-17 00:00:00+00', '2013-04-18 00:00:00+00', 1, '2026-12-02 04:33:37.616921+00', '2026-12-02 04:33:37.636424+00', '');
INSERT INTO public.window_attempt VALUES (2, '2013-04-01 00:00:00+00', '2013-04-02 00:00:00+00', 1, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '');
INSERT INTO public.window_attempt VALUES (2, '2013-04-02 00:00:00+00', '2013-04-03 00:00:00+00', 1, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '');
INSERT INTO public.window_attempt VALUES (2, '2013-04-03 00:00:00+00', '2013-04-04 00:00:00+00', 1, '2013-04-10 00:00:00+00', NULL, 'It failed.');
INSERT INTO public.window_attempt VALUES (2, '2013-04-04 00:00:00+00', '2013-04-05 00:00:00+00', 1, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '');
INSERT INTO public.window_attempt VALUES (2, '2013-04-05 00:00:00+00', '2013-04-06 00:00:00+00', 1, '2013-04-10 00:00:00+00', '2013-04-10 00:00:00+00', '');
INSERT INTO public.window_revision VALUES (2, '2013-04-04 00:00:00+00', 1, '2013-04-05 00:00:00+00', 900, 850, 'ok', '-inf', '-inf');
INSERT INTO public.window_revision VALUES (2, '2013-04-05 00:00:00+00', 1, '2013-04-06 00:00:00+00', 900, 850, 'ok', '0x1.999999999999ap-4', '-inf');
SELECT pg_catalog.setval('public.added_labels_id_seq', 1, true);
SELECT pg_catalog.setval('public.backfill_id_seq', 1, true);
SELECT pg_catalog.setval('public.deployment_id_seq', 3, true);
SELECT pg_catalog.setval('public.drill_id_seq', 1, true);
SELECT pg_catalog.setval('public.fleet_page_id_seq', 1, true);
SELECT pg_catalog.setval('public.notification_id_seq', 6, true);
SELECT pg_catalog.setval('public.rollout_id_seq', 1, true);
SELECT pg_catalog.setval('public.run_id_seq', 2, true);
SELECT pg_catalog.setval('public.window_id_seq', 20, true);
ALTER TABLE ONLY public.pitfalls_revision
    ADD CONSTRAINT pitfalls_revision_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.added_labels
    ADD CONSTRAINT pk_added_labels PRIMARY KEY (id);
ALTER TABLE ONLY public.backfill
    ADD CONSTRAINT pk_backfill PRIMARY KEY (id);
ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT pk_checkpoint PRIMARY KEY (deployment, start);
ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT pk_deployment PRIMARY KEY (id);
ALTER TABLE ONLY public.drill
    ADD CONSTRAINT pk_drill PRIMARY KEY (id);
ALTER TABLE ONLY public.drill_result
    ADD CONSTRAINT pk_drill_result PRIMARY KEY (drill, "position");
ALTER TABLE ONLY public.fleet_member
    ADD CONSTRAINT pk_fleet_member PRIMARY KEY (deployment);
ALTER TABLE ONLY public.fleet_page
    ADD CONSTRAINT pk_fleet_page PRIMARY KEY (id);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT pk_incident PRIMARY KEY (deployment, number);
ALTER TABLE ONLY public.incident_action
    ADD CONSTRAINT pk_incident_action PRIMARY KEY (deployment, incident, "position");
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT pk_lease PRIMARY KEY (deployment);
ALTER TABLE ONLY public.level_state
    ADD CONSTRAINT pk_level_state PRIMARY KEY (deployment, level);
ALTER TABLE ONLY public.monitor
    ADD CONSTRAINT pk_monitor PRIMARY KEY (name);
ALTER TABLE ONLY public.notification
    ADD CONSTRAINT pk_notification PRIMARY KEY (id);
ALTER TABLE ONLY public.rebaseline
    ADD CONSTRAINT pk_rebaseline PRIMARY KEY (deployment, "position");
ALTER TABLE ONLY public.rollout
    ADD CONSTRAINT pk_rollout PRIMARY KEY (id);
ALTER TABLE ONLY public.rollout_event
    ADD CONSTRAINT pk_rollout_event PRIMARY KEY (rollout, "position");
ALTER TABLE ONLY public.rollout_sample
    ADD CONSTRAINT pk_rollout_sample PRIMARY KEY (rollout, start);
ALTER TABLE ONLY public.rollout_window
    ADD CONSTRAINT pk_rollout_window PRIMARY KEY (rollout, start);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT pk_run PRIMARY KEY (id);
ALTER TABLE ONLY public.score
    ADD CONSTRAINT pk_score PRIMARY KEY ("window", "position");
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT pk_window PRIMARY KEY (id);
ALTER TABLE ONLY public.window_attempt
    ADD CONSTRAINT pk_window_attempt PRIMARY KEY (deployment, start);
ALTER TABLE ONLY public.window_revision
    ADD CONSTRAINT pk_window_revision PRIMARY KEY (deployment, start, backfill);
ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT uq_deployment_model_version_settings_digest UNIQUE (model, version, settings_digest);
ALTER TABLE ONLY public.notification
    ADD CONSTRAINT uq_notification_deployment_event UNIQUE (deployment, event);
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT uq_window_deployment_start UNIQUE (deployment, start);
CREATE INDEX ix_added_labels_deployment ON public.added_labels USING btree (deployment, id);
CREATE INDEX ix_backfill_deployment ON public.backfill USING btree (deployment, id);
CREATE INDEX ix_drill_name ON public.drill USING btree (name, id);
CREATE INDEX ix_fleet_member_team ON public.fleet_member USING btree (team);
CREATE INDEX ix_fleet_page_team ON public.fleet_page USING btree (team, id);
CREATE INDEX ix_notification_open ON public.notification USING btree (deployment) WHERE (completed_at IS NULL);
CREATE INDEX ix_rollout_name ON public.rollout USING btree (name, id);
CREATE INDEX ix_run_deployment ON public.run USING btree (deployment, id);
CREATE INDEX ix_score_watch ON public.score USING btree ("window", watch);
ALTER TABLE ONLY public.added_labels
    ADD CONSTRAINT fk_added_labels_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.backfill
    ADD CONSTRAINT fk_backfill_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT fk_checkpoint_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.drill_result
    ADD CONSTRAINT fk_drill_result_drill FOREIGN KEY (drill) REFERENCES public.drill(id);
ALTER TABLE ONLY public.fleet_member
    ADD CONSTRAINT fk_fleet_member_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.fleet_page
    ADD CONSTRAINT fk_fleet_page_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.incident_action
    ADD CONSTRAINT fk_incident_action_deployment FOREIGN KEY (deployment, incident) REFERENCES public.incident(deployment, number);
ALTER TABLE ONLY public.incident
    ADD CONSTRAINT fk_incident_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT fk_lease_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.level_state
    ADD CONSTRAINT fk_level_state_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.notification
    ADD CONSTRAINT fk_notification_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.rebaseline
    ADD CONSTRAINT fk_rebaseline_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.rollout_event
    ADD CONSTRAINT fk_rollout_event_rollout FOREIGN KEY (rollout) REFERENCES public.rollout(id);
ALTER TABLE ONLY public.rollout_sample
    ADD CONSTRAINT fk_rollout_sample_rollout FOREIGN KEY (rollout) REFERENCES public.rollout(id);
ALTER TABLE ONLY public.rollout_window
    ADD CONSTRAINT fk_rollout_window_rollout FOREIGN KEY (rollout) REFERENCES public.rollout(id);
ALTER TABLE ONLY public.run
    ADD CONSTRAINT fk_run_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.score
    ADD CONSTRAINT fk_score_window FOREIGN KEY ("window") REFERENCES public."window"(id);
ALTER TABLE ONLY public.window_attempt
    ADD CONSTRAINT fk_window_attempt_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public."window"
    ADD CONSTRAINT fk_window_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
ALTER TABLE ONLY public.window_revision
    ADD CONSTRAINT fk_window_revision_backfill FOREIGN KEY (backfill) REFERENCES public.backfill(id);
ALTER TABLE ONLY public.window_revision
    ADD CONSTRAINT fk_window_revision_deployment FOREIGN KEY (deployment) REFERENCES public.deployment(id);
