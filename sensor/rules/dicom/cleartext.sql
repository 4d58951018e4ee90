/*
id: DCM-001
title: DICOM images or queries in clear text
severity: medium
confidence: certain
why: >-
  Images, names and worklists cross the network unencrypted. Anyone on the path can read and change them. Within the
  hospital's network this is still the custom of the trade; across its border it is not acceptable.
remedy: >-
  Switch on DICOM over TLS (port 2762) on both sides where they can. Otherwise keep both in a segment of their own,
  and never route it out of the hospital.
references:
  - DICOM PS3.15 B (secure transport connection profiles)
  - IHE ITI TF-2 ITI-19
resolves: {seen: conversation}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [319]
  attack: [T1040, T1565.002]
  hipaa: ["164.312(e)(1)", "164.312(e)(2)(ii)"]
  iec_62443: [CR 4.1, CR 3.1]
  fda: [Conf]
cases:
  fire:
    - what: objects are stored in clear text
      rows:
        - {channel: {version: DICOM UL 1, encrypted: false, signed: none}, protocol: dicom, port: 104}
        - {attribute: {dicom.operation: C-STORE}, protocol: dicom, port: 104}
      severity: medium
      count: 1
    - what: objects are stored outside the hospital
      rows:
        - {channel: {version: DICOM UL 1, encrypted: false, signed: none}, protocol: dicom, port: 104, to: 192.0.2.7}
        - {attribute: {dicom.operation: C-STORE}, protocol: dicom, port: 104, to: 192.0.2.7}
      severity: high
    - what: recorded, a workstation sends twenty objects
      capture: pcaps/dicom/store20.pcap
  silent:
    - what: an echo moves no data
      rows:
        - {channel: {version: DICOM UL 1, encrypted: false, signed: none}, protocol: dicom, port: 104}
        - {attribute: {dicom.operation: C-ECHO}, protocol: dicom, port: 104}
    - what: the association was inside TLS
      rows:
        - {channel: {version: DICOM UL 1, encrypted: true}, protocol: dicom, port: 104}
        - {attribute: {dicom.operation: C-STORE}, protocol: dicom, port: 104}
    - what: recorded, an echo
      capture: pcaps/dicom/echo.pcap
*/
WITH services AS (
    SELECT DISTINCT scope, ip, mac, port, device_id, peer_ip, internal, peer_internal
    FROM seen_channel
    WHERE protocol = 'dicom' AND NOT encrypted AND device_id IS NOT NULL
), data AS (
    -- who asks may be either side: the acceptor of a C-GET stores back on the same association
    SELECT scope, CASE side WHEN 'initiator' THEN peer_ip ELSE ip END AS service_ip,
        CASE side WHEN 'initiator' THEN ip ELSE peer_ip END AS user_ip, port, value, first_ts, last_ts, capture, frame, community_id
    FROM seen_attribute
    WHERE name = 'dicom.operation' AND value IN ('C-STORE', 'C-FIND', 'C-MOVE', 'C-GET', 'N-CREATE', 'N-SET')
)
SELECT s.device_id, NULL AS identity_id, s.scope, s.mac, s.ip, s.port,
    'DICOM on tcp/' || s.port || CASE WHEN s.internal AND s.peer_internal THEN '' ELSE ' beyond the site' END AS subject,
    CASE WHEN s.internal AND s.peer_internal THEN 'medium' ELSE 'high' END AS severity,
    d.value AS operation, d.user_ip AS peer_ip, d.first_ts, d.last_ts, d.capture, d.frame, d.community_id
FROM services AS s
JOIN data AS d ON d.scope = s.scope AND d.service_ip = s.ip AND d.user_ip = s.peer_ip AND d.port = s.port
