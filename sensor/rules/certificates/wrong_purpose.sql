/*
id: CERT-012
title: Certificate may do more than it is used for
severity: low
confidence: certain
why: >-
  The device's own certificate says that it may issue certificates for others, or is made for another purpose than
  the one it is used for. Who takes the key can do more than pass for the device.
remedy: >-
  Have it issued anew as an end entity's certificate (CA:FALSE) with the extended key usage that it needs: server or
  client authentication.
references:
  - RFC 5280 4.2.1.9 and 4.2.1.12
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI5:2025"]
  nist_csf: [PR.AA-05]
  cwe: [295]
  attack: [T1649]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [AuthZ]
cases:
  fire:
    - what: an end entity that may issue certificates
      rows:
        - certificate: {is_ca: true}
      severity: low
      count: 1
    - what: a server with a client's purpose
      rows:
        - certificate: {eku: [clientAuth]}
    - what: a client with a server's purpose
      rows:
        - {certificate: {role: client, eku: [serverAuth]}, side: initiator}
    - what: recorded, a server with a wrong purpose
      capture: pcaps/tls/cert_wrong_eku.pcap
  silent:
    - what: a server's purpose
      rows:
        - certificate: {eku: [serverAuth]}
    - what: both purposes
      rows:
        - {certificate: {role: client, eku: [serverAuth, clientAuth]}, side: initiator}
    - what: no purpose is named, so any is allowed
      rows:
        - certificate: {}
    - what: an authority in the chain
      rows:
        - certificate: {role: ca, position: 1, is_ca: true}
    - what: recorded, no purpose named
      capture: pcaps/tls/cert_no_eku.pcap
*/
WITH shown AS (
    SELECT *, from_json(json_extract(details, '$.eku'), '["VARCHAR"]') AS eku,
        CASE role WHEN 'client' THEN 'clientAuth' ELSE 'serverAuth' END AS needed
    FROM seen_certificate
    WHERE position = 0 AND device_id IS NOT NULL
)
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    role, is_ca, eku, subject_name, issuer, serial, sha256, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM shown
WHERE is_ca OR (len(eku) > 0 AND NOT list_contains(eku, needed) AND NOT list_contains(eku, 'anyExtendedKeyUsage'))
