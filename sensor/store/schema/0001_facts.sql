-- What was seen. The grain of every fact table is one row per fact, capture and UTC day.
--
-- No primary keys, no indexes, no constraints but NOT NULL: the subset of SQL that also runs on DuckLake. What makes a
-- row unique is (capture, day, id); `id` is a hash of the row's key columns, made in the worker. Timestamps are naive UTC.
--
-- Common columns
--   capture, parser_set   what the row was read from, and with which parsers; a newer reading replaces an older one
--   side                  initiator | responder: which side of the conversation the fact is about
--   mac, ip               that side's addresses; port: the responder's port (never an ephemeral one)
--   peer_mac, peer_ip     the other side's
--   about                 'side', or the key of a thing that this side described
--   continued             restated for a conversation that lives past midnight, not a new proof
--   hours                 bit h is set when it was seen in hour h (UTC)
--   frame, community_id   evidence of the first sight in this capture
--   midstream, gap, one_sided   some sight of it came from a conversation of that quality

CREATE TABLE capture (
    capture     VARCHAR NOT NULL,
    parser_set  VARCHAR NOT NULL,
    settings    VARCHAR NOT NULL,   -- digest of what else decides the facts: site file, site key
    batch_bytes BIGINT NOT NULL,    -- after how many bytes its batches are cut: an interrupted reading goes on with the same
    name        VARCHAR NOT NULL,   -- file name without its folder
    size_bytes  BIGINT,
    first_ts    TIMESTAMP,
    last_ts     TIMESTAMP,
    packets     BIGINT,
    bytes       BIGINT,
    complete    BOOLEAN NOT NULL,   -- read to its end
    finished    BOOLEAN NOT NULL,   -- there is nothing more to read: it is complete, or damaged from there on
    damaged     VARCHAR,            -- what is wrong with the file, in words
    counters    VARCHAR,            -- JSON: the engine's and the dispatcher's counters
    read_at     TIMESTAMP NOT NULL
);

-- The ledger: a batch is committed together with its row here, so it never counts twice.
CREATE TABLE batch (
    capture      VARCHAR NOT NULL,
    parser_set   VARCHAR NOT NULL,
    number       BIGINT NOT NULL,   -- 0, 1, 2...: the same capture read in the same way gives the same batches
    byte_offset  BIGINT NOT NULL,   -- how much of the capture had been read when it was cut
    row_count    BIGINT NOT NULL,
    committed_at TIMESTAMP NOT NULL
);

CREATE TABLE fact_attribute (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    name VARCHAR NOT NULL, value VARCHAR NOT NULL, spec VARCHAR NOT NULL, sensitivity VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL
);

CREATE TABLE fact_channel (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    version VARCHAR NOT NULL, cipher VARCHAR, encrypted BOOLEAN NOT NULL, signed VARCHAR NOT NULL,
    client_authenticated BOOLEAN, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL
);

-- A certificate being shown; what is in it stands once per capture in `certificate`.
CREATE TABLE fact_certificate (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    role VARCHAR NOT NULL, position INTEGER NOT NULL, sha256 VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL
);

-- Validity that lies outside a TIMESTAMP's range is cut to it; `details` is JSON.
CREATE TABLE certificate (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL, spki_sha256 VARCHAR, subject_name VARCHAR, issuer VARCHAR, serial VARCHAR,
    not_before TIMESTAMP, not_after TIMESTAMP, key_type VARCHAR, key_bits INTEGER, signature VARCHAR,
    sans VARCHAR[], self_signed BOOLEAN, is_ca BOOLEAN, personal BOOLEAN NOT NULL, details VARCHAR NOT NULL
);

CREATE TABLE fact_authentication (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    mechanism VARCHAR NOT NULL, principal VARCHAR, realm VARCHAR,
    secret_digest VARCHAR, secret_principal_digest VARCHAR, secret_class VARCHAR, secret_length VARCHAR, key_epoch INTEGER,
    outcome VARCHAR NOT NULL, protection VARCHAR NOT NULL, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL
);

CREATE TABLE fact_anomaly (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    code VARCHAR NOT NULL, detail VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL
);

-- Conversations per day, written by the engine's counts. `confidence`: port | probed | confirmed; protocol '' = unknown.
CREATE TABLE fact_conversation (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, initiator_mac VARCHAR, initiator_ip VARCHAR, responder_mac VARCHAR, responder_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, confidence VARCHAR NOT NULL,
    packets BIGINT NOT NULL, initiator_bytes BIGINT NOT NULL, responder_bytes BIGINT NOT NULL,
    copied_bytes BIGINT NOT NULL,      -- given to a dissector
    skipped_bytes BIGINT NOT NULL,     -- left out on a dissector's word
    left_out_bytes BIGINT NOT NULL,    -- blind: over the budget of a turn
    lost_bytes BIGINT NOT NULL,        -- blind: not in the capture
    midstream_count BIGINT NOT NULL, one_sided_count BIGINT NOT NULL, gap_count BIGINT NOT NULL, unanswered_count BIGINT NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR
);

-- Which MAC held which IP, from when to when: a new row whenever the holder changes.
CREATE TABLE binding (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL,
    scope VARCHAR NOT NULL, mac VARCHAR NOT NULL, ip VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);
