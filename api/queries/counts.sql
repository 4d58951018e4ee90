-- How much there is.
SELECT (SELECT count(*) FROM device) AS devices,
       (SELECT count(*) FROM identity) AS identities,
       (SELECT count(*) FROM finding WHERE status = 'open') AS open_findings,
       (SELECT coalesce(max(seq), 0) FROM finding_change) AS latest_seq
