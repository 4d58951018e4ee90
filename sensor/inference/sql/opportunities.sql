-- Until when each kind of fact was seen of each device and port in whole conversations: a finding whose facts were
-- not among them has ended; where nothing was seen it could not have been seen.
SELECT 'attribute' AS seen, device_id, port, max(last_ts) AS last_ts
FROM seen_attribute WHERE NOT (gap OR one_sided OR midstream) GROUP BY ALL
UNION ALL
SELECT 'channel', device_id, port, max(last_ts)
FROM seen_channel WHERE NOT (gap OR one_sided OR midstream) GROUP BY ALL
UNION ALL
SELECT 'certificate', device_id, port, max(last_ts)
FROM seen_certificate WHERE NOT (gap OR one_sided OR midstream) GROUP BY ALL
UNION ALL
SELECT 'authentication', device_id, port, max(last_ts)
FROM seen_authentication WHERE NOT (gap OR one_sided OR midstream) GROUP BY ALL
UNION ALL
SELECT 'authentication', peer_id, port, max(last_ts)
FROM seen_authentication WHERE NOT (gap OR one_sided OR midstream) GROUP BY ALL
UNION ALL
SELECT 'traffic', initiator_id, port, max(last_ts)
FROM seen_conversation WHERE gap_count + one_sided_count + midstream_count < n GROUP BY ALL
UNION ALL
SELECT 'traffic', responder_id, port, max(last_ts)
FROM seen_conversation WHERE gap_count + one_sided_count + midstream_count < n GROUP BY ALL
UNION ALL
SELECT 'conversation', initiator_id, port, max(last_ts)
FROM seen_conversation WHERE protocol <> '' AND gap_count + one_sided_count + midstream_count < n GROUP BY ALL
UNION ALL
SELECT 'conversation', responder_id, port, max(last_ts)
FROM seen_conversation WHERE protocol <> '' AND gap_count + one_sided_count + midstream_count < n GROUP BY ALL
