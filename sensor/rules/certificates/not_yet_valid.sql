/*
id: CERT-002
title: Certificate begins in the future or was made with a wrong clock
severity: low
confidence: certain
why: >-
  The certificate's first day lies after the day on which it was shown, or in the year 2000 or before. Either the
  device's clock was wrong when it made its own certificate, or it still has the factory's. Logs of a device with a
  wrong clock are worth little, too.
remedy: >-
  Set the device's clock by NTP, then have its certificate issued anew.
references:
  - RFC 5280 4.1.2.5
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-01]
  cwe: [298]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: begins tomorrow
      rows:
        - certificate: {not_before: +1d}
      count: 1
    - what: made with the clock at its zero
      rows:
        - certificate: {not_before: "1970-01-01T00:00:00", not_after: "2037-12-31T00:00:00"}
    - what: recorded, a certificate of the future
      capture: pcaps/tls/cert_not_yet_valid.pcap
  silent:
    - what: begun a month ago
      rows:
        - certificate: {not_before: -30d}
    - what: begins the same minute
      rows:
        - {certificate: {not_before: +30s}, at: +0s}
    - what: recorded, an ordinary chain
      capture: pcaps/tls/cert_chain3.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    role, subject_name, issuer, serial, sha256, not_before, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE position = 0 AND device_id IS NOT NULL
    -- five minutes: an authority's clock may be ahead of the sensor's
    AND (not_before > first_ts + INTERVAL 5 MINUTE OR year(not_before) <= 2000)
