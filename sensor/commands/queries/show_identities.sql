-- The identities of a device, and at which services of whom it used them.
SELECT i.kind, i.label, i.realm, i.belongs_to, i.strength, i.device_count, u.use, u.protocol, u.port, u.outcome,
       string_agg(DISTINCT p.name, chr(10) ORDER BY p.name) AS peers, min(u.first_ts) AS first_ts, max(u.last_ts) AS last_ts,
       sum(u.n)::BIGINT AS n
FROM identity_uses AS u
JOIN identities AS i USING (identity_id)
LEFT JOIN (
    -- A device's label without vendor and model.
    SELECT device_id, replace(label, ' (' || concat_ws(' ', vendor, model) || ')', '') AS name FROM devices
) AS p ON p.device_id = u.peer_device_id
WHERE u.device_id = $device
GROUP BY ALL
ORDER BY i.kind, i.label, u.use, u.protocol, u.port, u.outcome
