-- The time of the newest fact; NULL in an empty store.
SELECT max(last_ts)
FROM (
    SELECT max(last_ts) AS last_ts FROM fact_attribute
    UNION ALL SELECT max(last_ts) FROM fact_channel
    UNION ALL SELECT max(last_ts) FROM fact_certificate
    UNION ALL SELECT max(last_ts) FROM fact_authentication
    UNION ALL SELECT max(last_ts) FROM fact_anomaly
    UNION ALL SELECT max(last_ts) FROM fact_conversation
    UNION ALL SELECT max(last_ts) FROM capture
)
