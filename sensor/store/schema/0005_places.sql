-- Of attributes there are many at one place, and the same at many places: where they were said and what is in them are
-- rows of their own. A fact's row refers to both, and has nothing but numbers.
--
--   quality   midstream 1, gap 2, one_sided 4, truncated 8, duplicate 16

-- A side of conversations at one service, on a UTC day. What makes a row unique is (capture, day, id).
CREATE TABLE place (
    capture VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL,
    scope VARCHAR NOT NULL, side VARCHAR NOT NULL, mac VARCHAR, ip VARCHAR, peer_mac VARCHAR, peer_ip VARCHAR,
    port INTEGER, transport VARCHAR NOT NULL, protocol VARCHAR NOT NULL, continued BOOLEAN NOT NULL
);

-- What a side says of itself or of the thing `about`. What makes a row unique is (capture, id).
CREATE TABLE attribute (
    capture VARCHAR NOT NULL, id UBIGINT NOT NULL,
    about VARCHAR NOT NULL, name VARCHAR NOT NULL, value VARCHAR NOT NULL, spec VARCHAR NOT NULL, sensitivity VARCHAR NOT NULL
);

-- Ids of rows that were written before are numbers of their text, in which no two rows are alike: no reading of theirs
-- goes on. They are made row by row; a join of all with all that they refer to would take a large store's memory.
INSERT INTO place
SELECT DISTINCT capture, day,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued
FROM fact_attribute;

INSERT INTO attribute
SELECT DISTINCT capture, md5_number_lower(CAST(ROW(about, name, value, spec, sensitivity) AS VARCHAR)),
    about, name, value, spec, sensitivity
FROM fact_attribute;

CREATE TABLE fact_of_attribute (
    capture VARCHAR NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL, attribute UBIGINT NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);

INSERT INTO fact_of_attribute
SELECT capture, day, id,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    md5_number_lower(CAST(ROW(about, name, value, spec, sensitivity) AS VARCHAR)),
    first_ts, last_ts, n, hours, frame, community_id,
    CAST(midstream AS INTEGER) + 2 * CAST(gap AS INTEGER) + 4 * CAST(one_sided AS INTEGER)
        + 8 * CAST(coalesce(truncated, false) AS INTEGER) + 16 * CAST(coalesce(duplicate, false) AS INTEGER)
FROM fact_attribute;

DROP TABLE fact_attribute;
ALTER TABLE fact_of_attribute RENAME TO fact_attribute;
