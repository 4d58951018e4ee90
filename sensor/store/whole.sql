-- The schema as all steps of `schema/` leave it: what a new store gets at once. The grain of every fact table is one row
-- per fact, reading and UTC day.
--
-- No primary keys, no indexes, no constraints but NOT NULL: the subset of SQL that also runs on DuckLake. What makes a
-- row unique is (reading, day, id); `id` is a hash of the row's key columns, made in the worker. Timestamps are naive UTC.
--
-- Common columns
--   reading               whose row it is: of the capture that has this number in `capture`; a newer reading replaces an
--                         older one, with another number
--   batch                 which batch of the reading brought the row, by its number in the ledger (`batch`): it grows
--                         along a table, so that a search for late rows passes over the early ones. 0 before step 6
--   side                  initiator | responder: which side of the conversation the fact is about
--   mac, ip               that side's addresses, the MAC address as a number; port: the responder's port (never an
--                         ephemeral one)
--   peer_mac, peer_ip     the other side's
--   about                 'side', or the key of a thing that this side described
--   continued             restated for a conversation that lives past midnight, not a new proof
--   hours                 bit h is set when it was seen in hour h (UTC)
--   frame, initiator_port evidence of the first sight in this capture. The Community ID follows from the ports, so that
--                         it is not kept (macros.sql); in `community_id` are those of rows that were there before step 9
--   midstream, gap, one_sided, truncated, duplicate   what the conversation lacked of that sight of it that lacks least
--   quality               the same as a number: midstream 16, gap 8, one_sided 4, truncated 2, duplicate 1
--   interface             name of a live interface, name or number of one in a pcapng file, else ''
--   segment               'vlan 12', 'vni 5000', 'erspan 7', ..., 'other' when there were too many tunnels, '' for none
--
-- What is a hash (ids, and what refers to attributes) is written as it is: there is nothing to compress, and to find that
-- out takes time. In stores that are older it is found out.
--
-- What step 3 has added (truncated, duplicate, interface, segment) is NULL in rows that are older: nobody looked.

CREATE TABLE capture (
    reading     INTEGER NOT NULL,
    capture     VARCHAR NOT NULL,
    parser_set  VARCHAR NOT NULL,
    settings    VARCHAR NOT NULL,   -- digest of what else decides the facts: site file, site key
    batch_bytes BIGINT NOT NULL,    -- after how many bytes its batches are cut: an interrupted reading goes on with the same
    name        VARCHAR NOT NULL,   -- file name without its folder
    size_bytes  BIGINT,
    live        BOOLEAN,
    sandbox     VARCHAR,
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

-- A side of conversations at one service, on a UTC day. What makes a row unique is (reading, day, id).
CREATE TABLE place (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac BIGINT, ip VARCHAR, peer_mac BIGINT, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, continued BOOLEAN NOT NULL
);

-- What a side says of itself or of the thing `about`. What makes a row unique is (reading, id).
CREATE TABLE attribute (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, id UBIGINT NOT NULL USING COMPRESSION uncompressed,
    about VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL, spec VARCHAR NOT NULL, sensitivity VARCHAR NOT NULL
);

-- Of attributes there are many at one place, and the same at many places: a row refers to both, and has nothing but numbers.
CREATE TABLE fact_attribute (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, place UBIGINT NOT NULL,
    attribute UBIGINT NOT NULL USING COMPRESSION uncompressed,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL, initiator_port INTEGER
);

CREATE TABLE fact_channel (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, version VARCHAR NOT NULL, cipher VARCHAR, encrypted BOOLEAN NOT NULL, signed VARCHAR NOT NULL,
    client_authenticated BOOLEAN, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL, initiator_port INTEGER
);

-- A certificate being shown; what is in it stands once per capture in `certificate`.
CREATE TABLE fact_certificate (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, role VARCHAR NOT NULL, position INTEGER NOT NULL, sha256 VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL, initiator_port INTEGER
);

-- Validity that lies outside a TIMESTAMP's range is cut to it; `details` is JSON.
CREATE TABLE certificate (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL, spki_sha256 VARCHAR, subject_name VARCHAR, issuer VARCHAR, serial VARCHAR,
    not_before TIMESTAMP, not_after TIMESTAMP, key_type VARCHAR, key_bits INTEGER, signature VARCHAR,
    sans VARCHAR[], self_signed BOOLEAN, is_ca BOOLEAN, personal BOOLEAN NOT NULL, details VARCHAR NOT NULL
);

CREATE TABLE fact_authentication (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, mechanism VARCHAR NOT NULL, principal VARCHAR, realm VARCHAR,
    secret_digest VARCHAR, secret_principal_digest VARCHAR, secret_class VARCHAR, secret_length VARCHAR, key_epoch INTEGER,
    outcome VARCHAR NOT NULL, protection VARCHAR NOT NULL, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL, initiator_port INTEGER
);

CREATE TABLE fact_anomaly (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, code VARCHAR NOT NULL, detail VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL, initiator_port INTEGER
);

-- Of which kind conversations are. What makes a row unique is (reading, id). `confidence`: port | probed | confirmed;
-- protocol '' = unknown.
CREATE TABLE kind (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, id UBIGINT NOT NULL USING COMPRESSION uncompressed,
    scope VARCHAR NOT NULL, protocol VARCHAR NOT NULL, confidence VARCHAR NOT NULL, interface VARCHAR, segment VARCHAR,
    transport VARCHAR NOT NULL
);

-- Conversations per day, written by the engine's counts.
CREATE TABLE fact_conversation (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL,
    id UBIGINT NOT NULL USING COMPRESSION uncompressed, kind UBIGINT NOT NULL,
    initiator_mac BIGINT, initiator_ip VARCHAR, responder_mac BIGINT, responder_ip VARCHAR, port INTEGER,
    packets BIGINT NOT NULL, initiator_bytes BIGINT NOT NULL, responder_bytes BIGINT NOT NULL,
    copied_bytes BIGINT NOT NULL,      -- given to a dissector
    skipped_bytes BIGINT NOT NULL,     -- left out on a dissector's word
    left_out_bytes BIGINT NOT NULL,    -- blind: over the budget of a turn
    lost_bytes BIGINT NOT NULL,        -- blind: not in the capture
    midstream_count BIGINT NOT NULL, one_sided_count BIGINT NOT NULL, gap_count BIGINT NOT NULL, unanswered_count BIGINT NOT NULL,
    truncated_count BIGINT, duplicate_count BIGINT,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, initiator_port INTEGER
);

-- Which MAC held which IP, from when to when: a new row whenever the holder changes.
CREATE TABLE binding (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    scope VARCHAR NOT NULL, mac BIGINT NOT NULL, ip VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);

-- Packets, whatever they carried, by the hour in which they came. `bytes` are those on the wire.
CREATE TABLE fact_traffic (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL, segment VARCHAR NOT NULL,
    packets BIGINT NOT NULL, bytes BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,        -- shown by the mirror before, and counted in `packets` all the same
    group_packets BIGINT NOT NULL,     -- to a broadcast or multicast MAC address
    truncated BIGINT NOT NULL          -- cut by a snap length
);

-- Live only: what did not reach the engine.
CREATE TABLE fact_loss (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL,
    kernel_packets BIGINT NOT NULL, kernel_drops BIGINT NOT NULL, interface_drops BIGINT NOT NULL, ring_freezes BIGINT NOT NULL
);

-- What is wrong with the mirror, in words, now (live) or over the whole capture. Written anew as a whole.
-- Captures that are another one in gzip or zstd: what is in them stands in the store under that one's id.
CREATE TABLE compressed_copy (copy VARCHAR NOT NULL, capture VARCHAR NOT NULL);

CREATE TABLE mirror_warning (
    capture VARCHAR NOT NULL, parser_set VARCHAR NOT NULL,
    interface VARCHAR NOT NULL, kind VARCHAR NOT NULL, words VARCHAR NOT NULL,
    since TIMESTAMP                    -- live: when it began; else when the capture does
);

-- What follows from the facts. Rewritten by inference, except `finding_change`, which only grows.

CREATE TABLE device (
    device_id VARCHAR NOT NULL, label VARCHAR NOT NULL,
    vendor VARCHAR, model VARCHAR, device_type VARCHAR, serial VARCHAR, software VARCHAR, os VARCHAR, role VARCHAR,
    described BOOLEAN NOT NULL,       -- only spoken of by others, never seen to talk
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    why VARCHAR NOT NULL              -- JSON: per column, the evidence that won and why
);

-- An id that no longer stands for itself keeps resolving.
CREATE TABLE device_alias (device_id VARCHAR NOT NULL, now_id VARCHAR NOT NULL);

CREATE TABLE device_endpoint (
    device_id VARCHAR NOT NULL, scope VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, reason VARCHAR NOT NULL
);

-- All evidence about a device, the losing kind too.
CREATE TABLE device_attribute (
    device_id VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL, source VARCHAR NOT NULL, certainty DOUBLE NOT NULL,
    chosen BOOLEAN NOT NULL, first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);

CREATE TABLE identity (
    identity_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,            -- certificate-key | ae-title | dicom-username | psk | ...
    label VARCHAR NOT NULL,           -- what people call it: AE title, user name, certificate's subject
    realm VARCHAR,
    belongs_to VARCHAR NOT NULL,      -- device | service | human | vendor | unknown
    strength VARCHAR NOT NULL,        -- none | weak | fair | strong
    device_count BIGINT NOT NULL, first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    why VARCHAR NOT NULL              -- JSON
);

CREATE TABLE identity_use (
    identity_id VARCHAR NOT NULL, device_id VARCHAR NOT NULL, peer_device_id VARCHAR,
    use VARCHAR NOT NULL,             -- shows | claims | answers_to
    protocol VARCHAR NOT NULL, port INTEGER, outcome VARCHAR, protection VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, day_count BIGINT NOT NULL
);

CREATE TABLE blindspot (
    device_id VARCHAR NOT NULL, day DATE NOT NULL, conversations BIGINT NOT NULL, understood BIGINT NOT NULL,
    reason VARCHAR NOT NULL, reason_count BIGINT NOT NULL
);

CREATE TABLE finding (
    finding_id VARCHAR NOT NULL, rule_id VARCHAR NOT NULL, status VARCHAR NOT NULL,   -- open | resolved | accepted
    severity VARCHAR NOT NULL, confidence VARCHAR NOT NULL, title VARCHAR NOT NULL,
    device_id VARCHAR, identity_id VARCHAR, scope VARCHAR, ip VARCHAR, mac VARCHAR,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL,
    evidence VARCHAR NOT NULL,        -- JSON: what the rule returned, with capture, frame and community_id
    changed_seq BIGINT NOT NULL
);

-- Append-only. `seq` is the feed's cursor: one writer assigns it in the order of commits, without holes.
CREATE TABLE finding_change (
    seq BIGINT NOT NULL, finding_id VARCHAR NOT NULL, change VARCHAR NOT NULL,        -- opened | seen_again | resolved | reopened | changed
    as_of TIMESTAMP NOT NULL, rule_id VARCHAR NOT NULL, severity VARCHAR NOT NULL, body VARCHAR NOT NULL
);
