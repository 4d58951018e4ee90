-- Who uses an identity, towards whom.
SELECT u.device_id, d.label AS device_label, u.peer_device_id, p.label AS peer_label, u.use, u.protocol, u.port,
       u.outcome, u.protection, u.first_ts, u.last_ts, u.n, u.day_count
FROM identity_use AS u
LEFT JOIN device AS d ON d.device_id = u.device_id
LEFT JOIN device AS p ON p.device_id = u.peer_device_id
WHERE u.identity_id = $identity
ORDER BY u.device_id, u.use, u.protocol, u.port, u.peer_device_id, u.outcome
