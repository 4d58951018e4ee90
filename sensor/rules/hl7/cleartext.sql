/*
id: HL7-001
title: Patients' data in HL7 messages in clear text
severity: medium
confidence: certain
why: >-
  Messages with segments about patients cross the network unencrypted. Anyone on the path can read names, orders and
  results, and can change them. Within the hospital's network this is still the custom of the trade; across its border
  it is not acceptable.
remedy: >-
  Run MLLP inside TLS where both sides can (IHE ATNA), or wrap it in IPsec or a TLS proxy. Otherwise keep both sides in
  a segment of their own, and never route it out of the hospital.
references:
  - HL7 v2.8.2 2.14 (message control segments)
  - HL7 Minimal Lower Layer Protocol 1
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
    - what: results of a patient
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none, framing: mllp}, protocol: hl7, port: 2575}
        - {attribute: {hl7.segment: [PID, OBR, OBX]}, protocol: hl7, port: 2575}
      severity: medium
      count: 1
    - what: the listener's answer tells of a patient
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575}
        - {attribute: {hl7.segment: [MSA, PID]}, side: responder, protocol: hl7, port: 2575}
      count: 1
    - what: results leave the hospital
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, to: 192.0.2.7}
        - {attribute: {hl7.segment: [PID, OBX]}, protocol: hl7, port: 2575, to: 192.0.2.7}
      severity: high
      count: 1
    - what: recorded, an admission
      capture: pcaps/hl7/adt_a01.pcap
      severity: medium
    - what: recorded, answers with patients
      capture: pcaps/hl7/query_pdq.pcap
      severity: medium
    - what: recorded, without framing
      capture: pcaps/hl7/lab_unframed.pcap
    - what: recorded, from outside
      capture: pcaps/hl7/outside.pcap
      severity: high
  silent:
    - what: state of an analyser, nothing of a patient
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575}
        - {attribute: {hl7.segment: [EQU, OBX, NTE, Z]}, protocol: hl7, port: 2575}
    - what: inside TLS
      rows:
        - {channel: {version: HL7 v2, encrypted: true}, protocol: hl7, port: 2575}
        - {attribute: {hl7.segment: [PID, OBX]}, protocol: hl7, port: 2575}
    - what: the clear channel is to another listener
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, to: 10.0.0.2}
        - {attribute: {hl7.segment: PID}, protocol: hl7, port: 2575, to: 10.0.0.3}
    - what: the clear channel is another sender's
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {attribute: {hl7.segment: PID}, protocol: hl7, port: 2575, from: 10.0.0.12}
    - what: the clear channel is on another port
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575}
        - {attribute: {hl7.segment: PID}, protocol: hl7, port: 6661}
    - what: recorded, an analyser's state
      capture: pcaps/hl7/lab_status_esu.pcap
*/
WITH services AS (
    SELECT DISTINCT scope, ip, mac, port, device_id, peer_ip, internal AND peer_internal AS at_home
    FROM seen_channel
    WHERE protocol = 'hl7' AND NOT encrypted AND device_id IS NOT NULL
), data AS (
    -- either side may tell of patients: a query is answered with them
    SELECT scope, CASE side WHEN 'initiator' THEN peer_ip ELSE ip END AS service_ip,
        CASE side WHEN 'initiator' THEN ip ELSE peer_ip END AS user_ip, port, value, first_ts, last_ts, capture, frame, community_id
    FROM seen_attribute
    WHERE name = 'hl7.segment' AND lower(value) IN (SELECT word FROM vocabulary WHERE list = 'patient_segments')
)
SELECT s.device_id, NULL AS identity_id, s.scope, s.mac, s.ip, s.port,
    'HL7 on tcp/' || s.port || CASE WHEN s.at_home THEN '' ELSE ' beyond the site' END AS subject,
    CASE WHEN s.at_home THEN 'medium' ELSE 'high' END AS severity,
    list_sort(list(DISTINCT d.value)) AS segments, d.user_ip AS peer_ip,
    min(d.first_ts) AS first_ts, max(d.last_ts) AS last_ts,
    arg_min(d.capture, (d.first_ts, d.frame)) AS capture, arg_min(d.frame, (d.first_ts, d.frame)) AS frame,
    arg_min(d.community_id, (d.first_ts, d.frame)) AS community_id
FROM services AS s
JOIN data AS d ON d.scope = s.scope AND d.service_ip = s.ip AND d.user_ip = s.peer_ip AND d.port = s.port
GROUP BY s.device_id, s.scope, s.mac, s.ip, s.port, s.at_home, d.user_ip
