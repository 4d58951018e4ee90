-- What a row was read from is a number. As texts in each row, capture and parser set cost as much as ten numbers, and again
-- in each search.
--
--   reading   whose row it is: of the capture that has this number in `capture`, where its parser set stands as well
--   batch     which batch of the reading brought the row, by its number in the ledger (`batch`): it grows along a table,
--             so that a search for late rows passes over the early ones. 0 in rows that were written before

ALTER TABLE capture RENAME TO old_capture;
CREATE TABLE capture (
    reading     INTEGER NOT NULL,
    capture     VARCHAR NOT NULL,
    parser_set  VARCHAR NOT NULL,
    settings    VARCHAR NOT NULL,
    batch_bytes BIGINT NOT NULL,
    name        VARCHAR NOT NULL,
    size_bytes  BIGINT,
    live        BOOLEAN,
    sandbox     VARCHAR,
    first_ts    TIMESTAMP,
    last_ts     TIMESTAMP,
    packets     BIGINT,
    bytes       BIGINT,
    complete    BOOLEAN NOT NULL,
    finished    BOOLEAN NOT NULL,
    damaged     VARCHAR,
    counters    VARCHAR,
    read_at     TIMESTAMP NOT NULL
);
INSERT INTO capture BY NAME
SELECT row_number() OVER (ORDER BY read_at, capture) AS reading, * FROM old_capture;
DROP TABLE old_capture;

ALTER TABLE place RENAME TO old_place;
CREATE TABLE place (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, continued BOOLEAN NOT NULL
);
INSERT INTO place BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture) FROM old_place AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_place;

ALTER TABLE attribute RENAME TO old_attribute;
CREATE TABLE attribute (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, id UBIGINT NOT NULL,
    about VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL, spec VARCHAR NOT NULL, sensitivity VARCHAR NOT NULL
);
INSERT INTO attribute BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture) FROM old_attribute AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_attribute;

ALTER TABLE fact_attribute RENAME TO old_fact_attribute;
CREATE TABLE fact_attribute (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL,
    attribute UBIGINT NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);
INSERT INTO fact_attribute BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture) FROM old_fact_attribute AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_attribute;

ALTER TABLE fact_channel RENAME TO old_fact_channel;
CREATE TABLE fact_channel (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    version VARCHAR NOT NULL, cipher VARCHAR, encrypted BOOLEAN NOT NULL, signed VARCHAR NOT NULL,
    client_authenticated BOOLEAN, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL,
    truncated BOOLEAN, duplicate BOOLEAN
);
INSERT INTO fact_channel BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_channel AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_channel;

ALTER TABLE fact_certificate RENAME TO old_fact_certificate;
CREATE TABLE fact_certificate (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    role VARCHAR NOT NULL, position INTEGER NOT NULL, sha256 VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL,
    truncated BOOLEAN, duplicate BOOLEAN
);
INSERT INTO fact_certificate BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_certificate AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_certificate;

ALTER TABLE certificate RENAME TO old_certificate;
CREATE TABLE certificate (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL, spki_sha256 VARCHAR, subject_name VARCHAR, issuer VARCHAR, serial VARCHAR,
    not_before TIMESTAMP, not_after TIMESTAMP, key_type VARCHAR, key_bits INTEGER, signature VARCHAR,
    sans VARCHAR[], self_signed BOOLEAN, is_ca BOOLEAN, personal BOOLEAN NOT NULL, details VARCHAR NOT NULL
);
INSERT INTO certificate BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_certificate AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_certificate;

ALTER TABLE fact_authentication RENAME TO old_fact_authentication;
CREATE TABLE fact_authentication (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    mechanism VARCHAR NOT NULL, principal VARCHAR, realm VARCHAR,
    secret_digest VARCHAR, secret_principal_digest VARCHAR, secret_class VARCHAR, secret_length VARCHAR, key_epoch INTEGER,
    outcome VARCHAR NOT NULL, protection VARCHAR NOT NULL, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL,
    truncated BOOLEAN, duplicate BOOLEAN
);
INSERT INTO fact_authentication BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_authentication AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_authentication;

ALTER TABLE fact_anomaly RENAME TO old_fact_anomaly;
CREATE TABLE fact_anomaly (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, about VARCHAR NOT NULL, continued BOOLEAN NOT NULL,
    code VARCHAR NOT NULL, detail VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, midstream BOOLEAN NOT NULL, gap BOOLEAN NOT NULL, one_sided BOOLEAN NOT NULL,
    truncated BOOLEAN, duplicate BOOLEAN
);
INSERT INTO fact_anomaly BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_anomaly AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_anomaly;

ALTER TABLE fact_conversation RENAME TO old_fact_conversation;
CREATE TABLE fact_conversation (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, initiator_mac VARCHAR, initiator_ip VARCHAR, responder_mac VARCHAR, responder_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, confidence VARCHAR NOT NULL,
    interface VARCHAR, segment VARCHAR,
    packets BIGINT NOT NULL, initiator_bytes BIGINT NOT NULL, responder_bytes BIGINT NOT NULL,
    copied_bytes BIGINT NOT NULL,
    skipped_bytes BIGINT NOT NULL,
    left_out_bytes BIGINT NOT NULL,
    lost_bytes BIGINT NOT NULL,
    midstream_count BIGINT NOT NULL, one_sided_count BIGINT NOT NULL, gap_count BIGINT NOT NULL, unanswered_count BIGINT NOT NULL,
    truncated_count BIGINT, duplicate_count BIGINT,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR
);
INSERT INTO fact_conversation BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_conversation AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_conversation;

ALTER TABLE binding RENAME TO old_binding;
CREATE TABLE binding (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    scope VARCHAR NOT NULL, mac VARCHAR NOT NULL, ip VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);
INSERT INTO binding BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_binding AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_binding;

ALTER TABLE fact_traffic RENAME TO old_fact_traffic;
CREATE TABLE fact_traffic (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL, segment VARCHAR NOT NULL,
    packets BIGINT NOT NULL, bytes BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    group_packets BIGINT NOT NULL,
    truncated BIGINT NOT NULL
);
INSERT INTO fact_traffic BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_traffic AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_traffic;

ALTER TABLE fact_loss RENAME TO old_fact_loss;
CREATE TABLE fact_loss (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, hour TIMESTAMP NOT NULL, interface VARCHAR NOT NULL,
    kernel_packets BIGINT NOT NULL, kernel_drops BIGINT NOT NULL, interface_drops BIGINT NOT NULL, ring_freezes BIGINT NOT NULL
);
INSERT INTO fact_loss BY NAME
SELECT c.reading, 0 AS batch, o.* EXCLUDE (capture, parser_set) FROM old_fact_loss AS o JOIN capture AS c ON c.capture = o.capture;
DROP TABLE old_fact_loss;
