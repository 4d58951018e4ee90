-- What a taken-over worker says twice, or in parts, as one row for each key.
CREATE TEMP TABLE once AS
SELECT reading, batch, hour, interface,
    CAST(sum(kernel_packets) AS BIGINT) AS kernel_packets, CAST(sum(kernel_drops) AS BIGINT) AS kernel_drops,
    CAST(sum(interface_drops) AS BIGINT) AS interface_drops, CAST(sum(ring_freezes) AS BIGINT) AS ring_freezes
FROM incoming
GROUP BY ALL
