/*
id: CERT-011
title: Certificate is for another name
severity: medium
confidence: probable
why: >-
  The client asked for the server by a name that its certificate does not hold. If the client carried on, it does
  not check whom it talks to.
remedy: >-
  Have the certificate issued with the name that clients use (as subjectAltName), or correct the name in the
  clients' configuration.
references:
  - RFC 6125 6.4
  - RFC 9525
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [297]
  attack: [T1557]
  hipaa: ["164.312(d)", "164.312(e)(1)"]
  iec_62443: [CR 1.8]
  fda: [AuthN]
cases:
  fire:
    - what: asked for pacs, got ct1
      rows:
        - attribute: {tls.sni: pacs.hospital.example}
        - certificate: {}
      count: 1
    - what: a wildcard stands for one label
      rows:
        - attribute: {tls.sni: a.b.hospital.example}
        - certificate: {sans: ["DNS:*.hospital.example"]}
    - what: no subjectAltName, other common name
      rows:
        - attribute: {tls.sni: pacs.hospital.example}
        - certificate: {sans: [], common_name: ct1.hospital.example}
    - what: recorded, another name
      capture: pcaps/tls/cert_name_mismatch.pcap
  silent:
    - what: the name is there
      rows:
        - attribute: {tls.sni: CT1.hospital.example}
        - certificate: {}
    - what: a wildcard
      rows:
        - attribute: {tls.sni: pacs.hospital.example}
        - certificate: {sans: ["DNS:*.hospital.example"]}
    - what: no subjectAltName, but the common name
      rows:
        - attribute: {tls.sni: ct1.hospital.example}
        - certificate: {sans: [], common_name: ct1.hospital.example}
    - what: more names than were read
      rows:
        - attribute: {tls.sni: pacs.hospital.example}
        - certificate: {problems: [too_many_sans]}
    - what: another conversation's certificate
      rows:
        - {attribute: {tls.sni: pacs.hospital.example}, community_id: "1:one"}
        - {certificate: {}, community_id: "1:two"}
    - what: recorded, no name was asked for
      capture: pcaps/tls/no_sni.pcap
    - what: recorded, a wildcard
      capture: pcaps/tls/cert_wildcard.pcap
*/
WITH asked AS (
    SELECT capture, day, community_id, lower(value) AS name, peer_ip, peer_id, first_ts
    FROM seen_attribute
    WHERE name = 'tls.sni' AND about = 'side' AND community_id IS NOT NULL
), shown AS (
    SELECT c.*, a.name AS asked_for,
        list_filter(list_transform(c.sans, lambda san: lower(san)), lambda san: starts_with(san, 'dns:')) AS dns_names
    FROM seen_certificate AS c
    JOIN asked AS a ON a.capture = c.capture AND a.day = c.day AND a.community_id = c.community_id AND a.peer_ip = c.ip
    WHERE c.position = 0 AND c.role = 'server' AND c.device_id IS NOT NULL
        -- both first seen in the handshake of the same conversation
        AND c.first_ts BETWEEN a.first_ts AND a.first_ts + INTERVAL 30 SECOND
)
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) || ' for ' || asked_for AS subject,
    asked_for, subject_name, sans[1:10] AS sans, issuer, sha256, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM shown
WHERE coalesce(json_extract_string(details, '$.problems'), '') NOT LIKE '%too_many_sans%' -- the name may be among the rest
    AND NOT coalesce(list_contains(dns_names, 'dns:' || asked_for), FALSE)
    AND NOT coalesce(list_contains(dns_names, 'dns:*' || substr(asked_for, strpos(asked_for, '.'))), FALSE)
    AND NOT (len(coalesce(dns_names, [])) = 0 AND coalesce(
        lower(common_name) = asked_for
        OR lower(common_name) = '*' || substr(asked_for, strpos(asked_for, '.')), FALSE))
