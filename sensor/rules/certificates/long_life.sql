/*
id: CERT-004
title: Certificate is valid for very long
severity: low
confidence: certain
why: >-
  A key that stays the same for years is copied, backed up and sold with the device, and nobody notices when it is
  lost. Many devices are built that way: read it as a risk over the device's lifetime, not as an emergency.
remedy: >-
  Let devices fetch certificates themselves (EST or SCEP) with a life of a year or less, where they can.
references:
  - CA/Browser Forum baseline requirements 6.3.2 (825 days)
  - RFC 7030 (EST)
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI7:2025"]
  nist_csf: [PR.AA-01]
  cwe: [262, 324]
  attack: [T1649]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [Crypto]
cases:
  fire:
    - what: three years
      rows:
        - certificate: {not_before: -30d, not_after: +1065d}
      severity: low
      count: 1
    - what: thirty years
      rows:
        - certificate: {not_before: -30d, not_after: +10920d}
      severity: medium
    - what: recorded, fifty years
      capture: pcaps/tls/cert_50_years.pcap
  silent:
    - what: one year
      rows:
        - certificate: {not_before: -30d, not_after: +335d}
    - what: an authority's certificate may live longer
      rows:
        - certificate: {role: ca, position: 1, not_before: -30d, not_after: +3620d, is_ca: true}
    - what: recorded, an ordinary chain under a root of ten years
      capture: pcaps/tls/cert_chain3.pcap
*/
WITH shown AS (
    SELECT *, date_diff('day', not_before, not_after) AS days_of_life
    FROM seen_certificate
    WHERE position = 0 AND device_id IS NOT NULL
)
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    CASE WHEN days_of_life > 3653 THEN 'medium' ELSE 'low' END AS severity,
    role, subject_name, issuer, serial, sha256, not_before, not_after, days_of_life, peer_ip,
    first_ts, last_ts, capture, frame, community_id
FROM shown
WHERE days_of_life > 825
