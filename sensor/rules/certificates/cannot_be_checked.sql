/*
id: CERT-013
title: Clients cannot check the service's certificate
severity: low
confidence: probable
why: >-
  Either a client broke off because it does not know who issued the certificate; or the certificate was issued by an
  intermediate authority that other services show with their chain, and this one does not. Devices that know the root
  only cannot check it: they refuse, or do not check at all.
remedy: >-
  Install the full chain on the service: its own certificate first, then each issuer up to the root, which may be left
  out. Where a client does not know the root, give it the root; where the issuer is not the hospital's, have the
  certificate issued anew.
references:
  - RFC 8446 6.2 (unknown_ca)
  - RFC 8446 4.4.2
  - RFC 5246 7.4.2
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [295]
  attack: [T1557]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: another service shows the intermediate authority, this one does not
      rows:
        - {certificate: {issuer: CN=Intermediate, serial: "01"}, to: 10.0.0.2}
        - {certificate: {role: ca, position: 1, subject_name: CN=Intermediate, issuer: CN=Root, is_ca: true}, to: 10.0.0.2}
        - {certificate: {issuer: CN=Intermediate, serial: "02"}, to: 10.0.0.3}
      count: 1
    - what: a client breaks off because it does not know the issuer
      rows:
        - certificate: {}
        - channel: {completed: false, alert: unknown_ca, alert_by: initiator}
      count: 1
    - what: recorded, a client that does not know the issuer
      capture: pcaps/tls/alert_unknown_ca.pcap
  silent:
    - what: a server does not know a client's issuer
      rows:
        - certificate: {}
        - channel: {completed: false, alert: unknown_ca, alert_by: responder}
    - what: the chain is complete
      rows:
        - {certificate: {issuer: CN=Intermediate, serial: "01"}, to: 10.0.0.2}
        - {certificate: {role: ca, position: 1, subject_name: CN=Intermediate, issuer: CN=Root, is_ca: true}, to: 10.0.0.2}
    - what: issued by the root, which may be left out
      rows:
        - {certificate: {issuer: CN=Root, serial: "01"}, to: 10.0.0.2}
        - {certificate: {role: ca, position: 1, subject_name: CN=Root, issuer: CN=Root, is_ca: true, self_signed: true}, to: 10.0.0.2}
        - {certificate: {issuer: CN=Root, serial: "02"}, to: 10.0.0.3}
    - what: nothing is known of the issuer
      rows:
        - certificate: {issuer: CN=Somebody}
    - what: recorded, a leaf alone, its issuer unknown
      capture: pcaps/tls/cert_leaf_only.pcap
*/
WITH intermediates AS (
    SELECT DISTINCT subject_name
    FROM seen_certificate
    WHERE position > 0 AND is_ca AND self_signed = FALSE AND issuer <> subject_name
), roots AS (
    SELECT DISTINCT subject_name FROM seen_certificate WHERE self_signed
)
SELECT f.device_id, f.identity_id, f.scope, f.mac, f.ip, f.port,
    'certificate ' || left(f.sha256, 16) AS subject,
    f.subject_name, f.issuer AS missing, f.sha256, f.peer_ip, f.first_ts, f.last_ts, f.capture, f.frame, f.community_id
FROM seen_certificate AS f
SEMI JOIN intermediates AS i ON i.subject_name = f.issuer
ANTI JOIN roots AS r ON r.subject_name = f.issuer
WHERE f.position = 0 AND f.role = 'server' AND f.self_signed = FALSE AND f.internal AND f.device_id IS NOT NULL
    AND NOT (f.gap OR f.one_sided OR f.midstream)
    AND NOT EXISTS (
        FROM seen_certificate AS chain
        WHERE chain.position > 0 AND chain.device_id = f.device_id AND chain.port IS NOT DISTINCT FROM f.port
            AND chain.subject_name = f.issuer
    )
UNION ALL
SELECT c.device_id, f.identity_id, c.scope, c.mac, c.ip, c.port,
    'issuer unknown to a client on ' || c.transport || '/' || c.port,
    f.subject_name, f.issuer, f.sha256, c.peer_ip, c.first_ts, c.last_ts, c.capture, c.frame, c.community_id
FROM seen_channel AS c
JOIN seen_certificate AS f ON f.device_id = c.device_id AND f.port = c.port AND f.day = c.day AND f.scope = c.scope
    AND f.peer_ip = c.peer_ip AND f.position = 0 AND f.role = 'server'
WHERE json_extract_string(c.details, '$.alert') = 'unknown_ca' AND json_extract_string(c.details, '$.alert_by') = 'initiator'
