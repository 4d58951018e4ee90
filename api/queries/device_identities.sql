-- The identities that a device uses.
SELECT u.identity_id, i.kind, i.label, i.strength, i.device_count, u.use, u.protocol, u.port, u.outcome, u.protection,
       u.peer_device_id, u.first_ts, u.last_ts, u.n, u.day_count
FROM identity_use AS u
JOIN identity AS i USING (identity_id)
WHERE u.device_id = $device
ORDER BY i.kind, i.label, u.identity_id, u.use, u.protocol, u.port, u.peer_device_id, u.outcome
