/*
id: CERT-003
title: Certificate ends soon
severity: low
confidence: certain
why: >-
  When the certificate ends, devices that check it stop talking to this one: images no longer arrive, results are
  not sent. That is an outage with a known date.
remedy: >-
  Have it renewed before the date, and write down who renews it. Certificates of a short life that renew themselves
  are reported only in their last third.
references:
  - RFC 5280 4.1.2.5
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI7:2025"]
  nist_csf: [PR.AA-01, ID.AM-08]
  cwe: [324]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [Resil]
cases:
  fire:
    - what: five days are left
      rows:
        - certificate: {not_after: +5d}
      severity: high
      count: 1
    - what: twenty days are left
      rows:
        - certificate: {not_before: -345d, not_after: +20d}
      severity: medium
    - what: eighty days are left
      rows:
        - certificate: {not_before: -600d, not_after: +80d}
      severity: low
    - what: recorded, a certificate in its last days
      capture: pcaps/tls/cert_expires_soon.pcap
  silent:
    - what: 335 days are left
      rows:
        - certificate: {not_after: +335d}
    - what: sixty days are left of ninety; it renews itself later
      rows:
        - certificate: {not_before: -30d, not_after: +60d}
    - what: it is over already
      rows:
        - certificate: {not_after: -1d}
    - what: the device shows a new one now
      rows:
        - certificate: {not_after: +5d}
        - {certificate: {not_after: +400d}, at: +1d}
    - what: recorded, an ordinary chain
      capture: pcaps/tls/cert_chain3.pcap
*/
WITH shown AS (
    SELECT *, date_diff('hour', $now, not_after) / 24.0 AS days_left,
        date_diff('hour', not_before, not_after) / 24.0 AS days_of_life,
        max(not_after) OVER (PARTITION BY device_id, port, role) AS newest_end
    FROM seen_certificate
    WHERE position = 0 AND device_id IS NOT NULL
)
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    CASE WHEN days_left <= 7 THEN 'high' WHEN days_left <= 30 THEN 'medium' ELSE 'low' END AS severity,
    role, subject_name, issuer, serial, sha256, not_after, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM shown
WHERE days_left >= 0 AND days_left <= least(90, days_of_life / 3)
    AND not_after = newest_end
    AND last_ts > $now - INTERVAL 90 DAY
