/*
id: CERT-008
title: Several devices hold the same private key
severity: high
confidence: certain
why: >-
  Devices with different addresses show certificates for one and the same key. Whoever takes it out of one of them,
  be it a discarded one, can pass for all of them and read their traffic. Often the maker ships one key with every
  device.
remedy: >-
  Let each device make a key of its own. If it cannot, ask its maker. Members of a cluster that share a key on
  purpose: accept the finding with that reason.
references:
  - RFC 4949 (private key)
  - IEC 62443-4-2 CR 1.5
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI9:2025", "NHI2:2025"]
  nist_csf: [PR.AA-01, PR.AA-02]
  cwe: [321, 1394]
  attack: [T1552.004, T1649]
  hipaa: ["164.312(d)", "164.312(a)(2)(i)"]
  iec_62443: [CR 1.2, CR 1.5, CR 1.9]
  fda: [Crypto]
cases:
  fire:
    - what: two devices, two certificates, one key
      rows:
        - {certificate: {spki_sha256: aa11, serial: "01"}, to: 10.0.0.2}
        - {certificate: {spki_sha256: aa11, serial: "02"}, to: 10.0.0.3}
      severity: high
      count: 1
    - what: five devices
      rows:
        - {certificate: {spki_sha256: aa11, serial: "01"}, to: 10.0.0.2}
        - {certificate: {spki_sha256: aa11, serial: "02"}, to: 10.0.0.3}
        - {certificate: {spki_sha256: aa11, serial: "03"}, to: 10.0.0.4}
        - {certificate: {spki_sha256: aa11, serial: "04"}, to: 10.0.0.5}
        - {certificate: {spki_sha256: aa11, serial: "05"}, to: 10.0.0.6}
      severity: critical
      count: 1
    - what: two sites
      rows:
        - {certificate: {spki_sha256: aa11}, to: 10.0.0.2, scope: north}
        - {certificate: {spki_sha256: aa11}, to: 10.0.0.2, scope: south}
      severity: critical
    - what: recorded, two servers, one key
      capture: pcaps/tls/same_key.pcap
  silent:
    - what: one device, two certificates for one key
      rows:
        - certificate: {spki_sha256: aa11, serial: "01"}
        - certificate: {spki_sha256: aa11, serial: "02"}
    - what: two addresses of one network card
      rows:
        - {certificate: {spki_sha256: aa11}, to: 10.0.0.2, to_mac: 8c:ec:4b:00:00:01}
        - {certificate: {spki_sha256: aa11}, to: 10.0.0.3, to_mac: 8c:ec:4b:00:00:01}
    - what: the same authority behind two devices
      rows:
        - {certificate: {spki_sha256: aa11}, to: 10.0.0.2}
        - {certificate: {spki_sha256: bb22}, to: 10.0.0.3}
        - {certificate: {role: ca, position: 1, spki_sha256: cc33}, to: 10.0.0.2}
        - {certificate: {role: ca, position: 1, spki_sha256: cc33}, to: 10.0.0.3}
    - what: one public service at several addresses
      rows:
        - {certificate: {spki_sha256: aa11}, to: 192.0.2.7}
        - {certificate: {spki_sha256: aa11}, to: 192.0.2.8}
    - what: recorded, one server, two names
      capture: pcaps/tls/two_names.pcap
*/
WITH holders AS (
    SELECT identity_id, key_sha256, device_id, scope, min(ip) AS ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        min(subject_name) AS subject_name
    FROM seen_certificate
    WHERE position = 0 AND device_id IS NOT NULL AND internal AND NOT personal
    GROUP BY ALL
), sharing AS (
    SELECT identity_id, key_sha256, count(DISTINCT device_id) AS device_count, count(DISTINCT scope) AS scope_count,
        list_sort(list(DISTINCT ip)) AS ips, list_sort(list(DISTINCT device_id)) AS devices,
        min(subject_name) AS subject_name,
        -- shared since the second one turned up, and as long as two show it
        list_sort(list(first_ts))[2] AS since, list_reverse_sort(list(last_ts))[2] AS until
    FROM holders
    GROUP BY ALL
    HAVING count(DISTINCT device_id) > 1
)
SELECT NULL AS device_id, s.identity_id, f.scope, NULL AS mac, NULL AS ip, NULL AS port,
    'key ' || left(s.key_sha256, 16) AS subject,
    CASE WHEN s.scope_count > 1 OR s.device_count >= 5 THEN 'critical' ELSE 'high' END AS severity,
    s.subject_name, s.key_sha256, s.device_count, s.devices, s.ips,
    s.since AS first_ts, s.until AS last_ts, f.capture, f.frame, f.community_id
FROM sharing AS s
JOIN seen_certificate AS f ON f.identity_id = s.identity_id AND f.first_ts = s.since AND f.device_id IS NOT NULL
