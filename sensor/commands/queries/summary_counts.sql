-- How much there is.
SELECT (SELECT count(*) FROM devices WHERE NOT described) AS devices,
       (SELECT count(*) FROM devices WHERE described) AS described_devices,
       (SELECT count(*) FROM identities) AS identities,
       (SELECT count(*) FROM certificates) AS certificates,
       (SELECT count(*) FROM authentications) AS authentications,
       (SELECT count(*) FROM findings WHERE status = 'open') AS open_findings
