-- What live interfaces lost before it could be read: one row per interface and hour (UTC).
CREATE OR REPLACE VIEW losses AS
SELECT interface, hour, CAST(sum(kernel_packets) AS BIGINT) AS kernel_packets,
    CAST(sum(kernel_drops) AS BIGINT) AS kernel_drops, CAST(sum(interface_drops) AS BIGINT) AS interface_drops,
    CAST(sum(ring_freezes) AS BIGINT) AS ring_freezes
FROM fact_loss
GROUP BY ALL
