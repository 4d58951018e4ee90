-- What kind a conversation is of takes six texts, of which there are few: they are rows of their own.
--
-- Ids of rows that were written before are numbers of their text, as in 0005.

CREATE TABLE kind (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, protocol VARCHAR NOT NULL, confidence VARCHAR NOT NULL, interface VARCHAR, segment VARCHAR,
    transport VARCHAR NOT NULL
);

INSERT INTO kind
SELECT DISTINCT reading, 0,
    md5_number_lower(CAST(ROW(scope, protocol, confidence, interface, segment, transport) AS VARCHAR)),
    scope, protocol, confidence, interface, segment, transport
FROM fact_conversation;

ALTER TABLE fact_conversation RENAME TO old_fact_conversation;
CREATE TABLE fact_conversation (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, kind UBIGINT NOT NULL,
    initiator_mac VARCHAR, initiator_ip VARCHAR, responder_mac VARCHAR, responder_ip VARCHAR, port INTEGER,
    packets BIGINT NOT NULL, initiator_bytes BIGINT NOT NULL, responder_bytes BIGINT NOT NULL,
    copied_bytes BIGINT NOT NULL, skipped_bytes BIGINT NOT NULL, left_out_bytes BIGINT NOT NULL, lost_bytes BIGINT NOT NULL,
    midstream_count BIGINT NOT NULL, one_sided_count BIGINT NOT NULL, gap_count BIGINT NOT NULL, unanswered_count BIGINT NOT NULL,
    truncated_count BIGINT, duplicate_count BIGINT,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR
);
INSERT INTO fact_conversation BY NAME
SELECT * EXCLUDE (scope, protocol, confidence, interface, segment, transport),
    md5_number_lower(CAST(ROW(scope, protocol, confidence, interface, segment, transport) AS VARCHAR)) AS kind
FROM old_fact_conversation;
DROP TABLE old_fact_conversation;
