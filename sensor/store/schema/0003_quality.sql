-- How well was seen what was seen: quality with every fact, and the segment of every conversation.
--
--   interface   name of a live interface, name or number of one in a pcapng file, else ''
--   segment     'vlan 12', 'vni 5000', 'erspan 7', ..., 'other' when there were too many tunnels, '' for none
--
-- New columns are NULL in rows that were written before there were any: nobody looked. (A DEFAULT would need a setting
-- that a store locks.)

ALTER TABLE fact_attribute ADD COLUMN truncated BOOLEAN;
ALTER TABLE fact_attribute ADD COLUMN duplicate BOOLEAN;
ALTER TABLE fact_channel ADD COLUMN truncated BOOLEAN;
ALTER TABLE fact_channel ADD COLUMN duplicate BOOLEAN;
ALTER TABLE fact_certificate ADD COLUMN truncated BOOLEAN;
ALTER TABLE fact_certificate ADD COLUMN duplicate BOOLEAN;
ALTER TABLE fact_authentication ADD COLUMN truncated BOOLEAN;
ALTER TABLE fact_authentication ADD COLUMN duplicate BOOLEAN;
ALTER TABLE fact_anomaly ADD COLUMN truncated BOOLEAN;
ALTER TABLE fact_anomaly ADD COLUMN duplicate BOOLEAN;

ALTER TABLE fact_conversation ADD COLUMN interface VARCHAR;
ALTER TABLE fact_conversation ADD COLUMN segment VARCHAR;
ALTER TABLE fact_conversation ADD COLUMN truncated_count BIGINT;
ALTER TABLE fact_conversation ADD COLUMN duplicate_count BIGINT;
