/*
id: CERT-009
title: Several devices show the same certificate
severity: high
confidence: certain
why: >-
  One certificate, with one private key, was copied to several devices. A peer cannot tell which of them it talks
  to, and the certificate cannot be withdrawn for one of them alone.
remedy: >-
  Issue a certificate per device. Members of a cluster that share one on purpose: accept the finding with that
  reason.
references:
  - RFC 5280 4.1.2.2
  - IEC 62443-4-2 CR 1.2
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-02]
  cwe: [321]
  attack: [T1649]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: two devices, one certificate
      rows:
        - {certificate: {}, to: 10.0.0.2}
        - {certificate: {}, to: 10.0.0.3}
      count: 1
    - what: two clients with one certificate
      rows:
        - {certificate: {role: client}, side: initiator, from: 10.0.0.11}
        - {certificate: {role: client}, side: initiator, from: 10.0.0.12}
    - what: recorded, two servers, one certificate
      capture: pcaps/tls/same_certificate.pcap
  silent:
    - what: two devices, each its own
      rows:
        - {certificate: {serial: "01"}, to: 10.0.0.2}
        - {certificate: {serial: "02"}, to: 10.0.0.3}
    - what: one device seen with two addresses of one card
      rows:
        - {certificate: {}, to: 10.0.0.2, to_mac: 8c:ec:4b:00:00:01}
        - {certificate: {}, to: 10.0.0.3, to_mac: 8c:ec:4b:00:00:01}
    - what: one card that a person puts into two workstations
      rows:
        - {certificate: {role: client, personal: true}, side: initiator, from: 10.0.0.11}
        - {certificate: {role: client, personal: true}, side: initiator, from: 10.0.0.12}
    - what: recorded, one key, two certificates
      capture: pcaps/tls/same_key.pcap
*/
WITH holders AS (
    SELECT identity_id, sha256, device_id, min(ip) AS ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        any_value(subject_name) AS subject_name, any_value(issuer) AS issuer, any_value(serial) AS serial
    FROM seen_certificate
    WHERE position = 0 AND device_id IS NOT NULL AND internal AND NOT personal
    GROUP BY identity_id, sha256, device_id
), sharing AS (
    SELECT identity_id, sha256, count(*) AS device_count, list_sort(list(DISTINCT ip)) AS ips, list_sort(list(device_id)) AS devices,
        any_value(subject_name) AS subject_name, any_value(issuer) AS issuer, any_value(serial) AS serial,
        list_sort(list(first_ts))[2] AS since, list_reverse_sort(list(last_ts))[2] AS until
    FROM holders
    GROUP BY identity_id, sha256
    HAVING count(*) > 1
)
SELECT NULL AS device_id, s.identity_id, f.scope, NULL AS mac, NULL AS ip, NULL AS port,
    'certificate ' || left(s.sha256, 16) AS subject,
    s.subject_name, s.issuer, s.serial, s.sha256, s.device_count, s.devices, s.ips,
    s.since AS first_ts, s.until AS last_ts, f.capture, f.frame, f.community_id
FROM sharing AS s
JOIN seen_certificate AS f ON f.sha256 = s.sha256 AND f.first_ts = s.since AND f.device_id IS NOT NULL
