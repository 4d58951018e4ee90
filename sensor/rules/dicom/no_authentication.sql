/*
id: DCM-002
title: DICOM association accepted without any authentication
severity: medium
confidence: certain
why: >-
  The service accepted the association although the caller proved nothing: no user identity, no certificate. An AE
  title is a name that anyone can say. The service may still check the caller's address; that cannot be seen on the
  wire.
remedy: >-
  Use DICOM over TLS with client certificates, or user identity inside TLS. Until then restrict the service to known
  AE titles and addresses and to a segment of its own.
references:
  - DICOM PS3.7 D.3.3.7 (user identity)
  - DICOM PS3.15 B
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [306, 287]
  attack: [T1565.002]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.2]
  fda: [AuthN]
cases:
  fire:
    - what: accepted, no user identity
      rows:
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE, user_identity: none}, protocol: dicom, port: 104}
      count: 1
    - what: recorded, twenty objects from a workstation
      capture: pcaps/dicom/store20.pcap
  silent:
    - what: a user name and passcode were offered
      rows:
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE, user_identity: username-passcode}, protocol: dicom, port: 104}
    - what: rejected
      rows:
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE, user_identity: none, outcome: rejected}, protocol: dicom, port: 104}
    - what: inside TLS a certificate may have been checked
      rows:
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE, user_identity: none, protection: tls}, protocol: dicom, port: 104}
    - what: recorded, a called title that is refused
      capture: pcaps/dicom/rejected_called.pcap
*/
SELECT peer_id AS device_id, NULL AS identity_id, scope, peer_mac AS mac, peer_ip AS ip, port,
    'no authentication offered on tcp/' || port AS subject,
    principal AS calling_ae_title, json_extract_string(details, '$.called_ae_title') AS called_ae_title, ip AS peer_ip,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'ae-title' AND outcome = 'accepted' AND protection = 'none'
    AND json_extract_string(details, '$.user_identity') = 'none'
    AND peer_id IS NOT NULL
