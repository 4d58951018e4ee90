-- The secrets that identities proved themselves with: per identity, digest, class and length, from when to when, by how
-- many devices. Digests are keyed; those of two epochs of the key cannot be compared. Refused secrets are no one's.
SELECT identity_id, key_epoch, coalesce(secret_principal_digest, secret_digest) AS digest, secret_class, secret_length,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts, count(DISTINCT device_id) AS device_count
FROM seen_authentication
WHERE identity_id IS NOT NULL AND secret_class IS NOT NULL AND outcome <> 'rejected'
GROUP BY ALL
ORDER BY identity_id, first_ts, last_ts, key_epoch, digest, secret_class, secret_length
