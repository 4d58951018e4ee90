-- What is a number is kept as one: MAC addresses, and instead of a flow's Community ID the port that it follows from. The
-- port of a row that is there already is not known; its Community ID stays.

ALTER TABLE fact_attribute ADD COLUMN initiator_port INTEGER;
ALTER TABLE fact_channel ADD COLUMN initiator_port INTEGER;
ALTER TABLE fact_certificate ADD COLUMN initiator_port INTEGER;
ALTER TABLE fact_authentication ADD COLUMN initiator_port INTEGER;
ALTER TABLE fact_anomaly ADD COLUMN initiator_port INTEGER;
ALTER TABLE fact_conversation ADD COLUMN initiator_port INTEGER;

ALTER TABLE place ALTER COLUMN mac TYPE BIGINT USING TRY_CAST('0x' || replace(mac, ':', '') AS BIGINT);
ALTER TABLE place ALTER COLUMN peer_mac TYPE BIGINT USING TRY_CAST('0x' || replace(peer_mac, ':', '') AS BIGINT);
ALTER TABLE fact_conversation ALTER COLUMN initiator_mac TYPE BIGINT USING TRY_CAST('0x' || replace(initiator_mac, ':', '') AS BIGINT);
ALTER TABLE fact_conversation ALTER COLUMN responder_mac TYPE BIGINT USING TRY_CAST('0x' || replace(responder_mac, ':', '') AS BIGINT);

ALTER TABLE binding RENAME TO old_binding;
CREATE TABLE binding (
    reading INTEGER NOT NULL, batch INTEGER NOT NULL,
    scope VARCHAR NOT NULL, mac BIGINT NOT NULL, ip VARCHAR NOT NULL,
    first_ts TIMESTAMP NOT NULL, last_ts TIMESTAMP NOT NULL, n BIGINT NOT NULL
);
INSERT INTO binding
SELECT * REPLACE (TRY_CAST('0x' || replace(mac, ':', '') AS BIGINT) AS mac) FROM old_binding
WHERE TRY_CAST('0x' || replace(mac, ':', '') AS BIGINT) IS NOT NULL;
DROP TABLE old_binding;
