-- All facts refer to where they were said, as those of attributes do since step 5: ten columns less in each row. What was
-- seen of the quality is a number in all of them: nobody looked, and nothing was seen, is one.
--
-- Ids of places that were written before are numbers of their text, as in 0005; some of them are there already.

WITH said AS (
    SELECT reading, day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued FROM fact_channel
    UNION SELECT reading, day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued FROM fact_certificate
    UNION SELECT reading, day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued FROM fact_authentication
    UNION SELECT reading, day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued FROM fact_anomaly
), placed AS (
    SELECT *, 0 AS batch,
        md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)) AS id
    FROM said
)
INSERT INTO place BY NAME
SELECT p.* FROM placed AS p ANTI JOIN place AS t ON t.reading = p.reading AND t.day = p.day AND t.id = p.id;

ALTER TABLE fact_channel RENAME TO old_fact_channel;
CREATE TABLE fact_channel (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, version VARCHAR NOT NULL, cipher VARCHAR, encrypted BOOLEAN NOT NULL, signed VARCHAR NOT NULL,
    client_authenticated BOOLEAN, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);
INSERT INTO fact_channel
SELECT reading, batch, day, id,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    about, version, cipher, encrypted, signed, client_authenticated, details,
    first_ts, last_ts, n, hours, frame, community_id,
    CAST(midstream AS INTEGER) + 2 * CAST(gap AS INTEGER) + 4 * CAST(one_sided AS INTEGER)
        + 8 * CAST(coalesce(truncated, false) AS INTEGER) + 16 * CAST(coalesce(duplicate, false) AS INTEGER)
FROM old_fact_channel;
DROP TABLE old_fact_channel;

ALTER TABLE fact_certificate RENAME TO old_fact_certificate;
CREATE TABLE fact_certificate (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, role VARCHAR NOT NULL, position INTEGER NOT NULL, sha256 VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);
INSERT INTO fact_certificate
SELECT reading, batch, day, id,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    about, role, position, sha256,
    first_ts, last_ts, n, hours, frame, community_id,
    CAST(midstream AS INTEGER) + 2 * CAST(gap AS INTEGER) + 4 * CAST(one_sided AS INTEGER)
        + 8 * CAST(coalesce(truncated, false) AS INTEGER) + 16 * CAST(coalesce(duplicate, false) AS INTEGER)
FROM old_fact_certificate;
DROP TABLE old_fact_certificate;

ALTER TABLE fact_authentication RENAME TO old_fact_authentication;
CREATE TABLE fact_authentication (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, mechanism VARCHAR NOT NULL, principal VARCHAR, realm VARCHAR,
    secret_digest VARCHAR, secret_principal_digest VARCHAR, secret_class VARCHAR, secret_length VARCHAR, key_epoch INTEGER,
    outcome VARCHAR NOT NULL, protection VARCHAR NOT NULL, details VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);
INSERT INTO fact_authentication
SELECT reading, batch, day, id,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    about, mechanism, principal, realm, secret_digest, secret_principal_digest, secret_class, secret_length, key_epoch, outcome, protection, details,
    first_ts, last_ts, n, hours, frame, community_id,
    CAST(midstream AS INTEGER) + 2 * CAST(gap AS INTEGER) + 4 * CAST(one_sided AS INTEGER)
        + 8 * CAST(coalesce(truncated, false) AS INTEGER) + 16 * CAST(coalesce(duplicate, false) AS INTEGER)
FROM old_fact_authentication;
DROP TABLE old_fact_authentication;

ALTER TABLE fact_anomaly RENAME TO old_fact_anomaly;
CREATE TABLE fact_anomaly (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL, day DATE NOT NULL, id UBIGINT NOT NULL, place UBIGINT NOT NULL,
    about VARCHAR NOT NULL, code VARCHAR NOT NULL, detail VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL, hours INTEGER NOT NULL,
    frame BIGINT NOT NULL, community_id VARCHAR, quality INTEGER NOT NULL
);
INSERT INTO fact_anomaly
SELECT reading, batch, day, id,
    md5_number_lower(CAST(ROW(day, scope, side, mac, ip, peer_mac, peer_ip, port, transport, protocol, continued) AS VARCHAR)),
    about, code, detail,
    first_ts, last_ts, n, hours, frame, community_id,
    CAST(midstream AS INTEGER) + 2 * CAST(gap AS INTEGER) + 4 * CAST(one_sided AS INTEGER)
        + 8 * CAST(coalesce(truncated, false) AS INTEGER) + 16 * CAST(coalesce(duplicate, false) AS INTEGER)
FROM old_fact_anomaly;
DROP TABLE old_fact_anomaly;
