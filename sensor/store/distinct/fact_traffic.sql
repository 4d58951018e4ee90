-- What a taken-over worker says twice, or in parts, as one row for each key.
CREATE TEMP TABLE once AS
SELECT reading, batch, hour, interface, segment,
    CAST(sum(packets) AS BIGINT) AS packets, CAST(sum(bytes) AS BIGINT) AS bytes,
    CAST(sum(duplicates) AS BIGINT) AS duplicates, CAST(sum(group_packets) AS BIGINT) AS group_packets,
    CAST(sum(truncated) AS BIGINT) AS truncated
FROM incoming
GROUP BY ALL
