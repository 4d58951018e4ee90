/*
id: DCM-010
title: Modality searches or fetches from an archive
severity: high
confidence: probable
why: >-
  A device that makes images asks an archive for other images. Some modalities fetch earlier studies, but a modality
  that was broken into is also the way by which archives are emptied.
remedy: >-
  Check whether this modality is meant to fetch earlier studies. If not, forbid it queries at the archive, and find
  out which program on it asked.
references:
  - DICOM PS3.4 C (query/retrieve)
resolves: {seen: attribute}
mappings:
  owasp_nhi: ["NHI5:2025"]
  nist_csf: [PR.AA-05, DE.CM-01]
  cwe: [862, 284]
  hipaa: ["164.312(a)(1)", "164.312(b)"]
  iec_62443: [CR 2.1, CR 2.8]
  fda: [AuthZ]
cases:
  fire:
    - what: a modality that stores, asks for its worklist and moves studies
      rows:
        - {attribute: {dicom.operation_sop_class: [C-STORE 1.2.840.10008.5.1.4.1.1.2, C-FIND 1.2.840.10008.5.1.4.31]}, protocol: dicom, port: 104}
        - {attribute: {dicom.operation_sop_class: C-MOVE 1.2.840.10008.5.1.4.1.2.2.2}, protocol: dicom, port: 104}
      count: 1
    - what: a machine with a CT maker's network card lists the archive
      rows:
        - {attribute: {dicom.operation_sop_class: C-FIND 1.2.840.10008.5.1.4.1.2.2.1}, protocol: dicom, port: 104, from_mac: "88:4b:39:10:20:31"}
    - what: recorded, a CT lists the archive
      capture: pcaps/dicom/find_by_modality.pcap
  silent:
    - what: an unknown machine that only asks the archive
      rows:
        - {attribute: {dicom.operation_sop_class: C-FIND 1.2.840.10008.5.1.4.1.2.2.1}, protocol: dicom, port: 104}
    - what: a modality that asks for its worklist
      rows:
        - {attribute: {dicom.operation_sop_class: [C-STORE 1.2.840.10008.5.1.4.1.1.2, C-FIND 1.2.840.10008.5.1.4.31]}, protocol: dicom, port: 104}
    - what: a workstation that asks the archive
      rows:
        - {attribute: {dicom.operation_sop_class: C-FIND 1.2.840.10008.5.1.4.1.2.2.1}, protocol: dicom, port: 104, from: 10.0.0.30}
        - {attribute: {dicom.operation_sop_class: C-STORE 1.2.840.10008.5.1.4.1.1.2}, protocol: dicom, port: 104, from: 10.0.0.2, to: 10.0.0.30}
    - what: recorded, a workstation lists the archive
      capture: pcaps/dicom/find_study.pcap
*/
WITH made_by AS (
    -- a network card of a maker of medical devices, in a device that plays no other part
    SELECT DISTINCT device_id
    FROM device_attribute
    WHERE name = 'vendor' AND source LIKE 'MAC address%' AND certainty >= 0.6
)
SELECT f.speaker_id AS device_id, NULL AS identity_id, f.scope, f.mac, f.ip, NULL AS port,
    split_part(f.value, ' ', 1) || ' to ' || coalesce(f.peer_ip, 'an unknown address') AS subject,
    f.value AS operation, d.vendor, d.device_type, d.role, f.peer_ip, f.port AS peer_port, f.n AS operations,
    f.first_ts, f.last_ts, f.capture, f.frame, f.community_id
FROM seen_attribute AS f
JOIN device AS d ON d.device_id = f.speaker_id
LEFT JOIN made_by AS m ON m.device_id = f.speaker_id
WHERE f.name = 'dicom.operation_sop_class'
    AND (d.role = 'modality' OR (m.device_id IS NOT NULL AND coalesce(d.role, 'query client') = 'query client'))
    AND regexp_matches(f.value, '^C-(FIND|MOVE|GET) 1\.2\.840\.10008\.5\.1\.4\.1\.2\.')
