/*
id: HL7-008
title: HL7 sender calls itself by a placeholder
severity: low
confidence: certain
why: >-
  The sending application is what examples and unfinished configurations put there. The name is often all that a
  receiver checks, it is the first that an intruder tries, and it tells nobody which system sent the message.
remedy: >-
  Give the sender an MSH-3 and MSH-4 of its own and enter them at its receivers.
references:
  - HL7 v2.8.2 2.14.9.3 (MSH-3)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1188]
  attack: [T1078.001]
  hipaa: ["164.312(a)(2)(i)"]
  iec_62443: [CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: the name of the field
      rows:
        - {authentication: {mechanism: hl7-application, principal: SENDING_APPLICATION, realm: SENDING_FACILITY}, protocol: hl7, port: 2575}
      count: 1
    - what: with an identifier behind it
      rows:
        - {authentication: {mechanism: hl7-application, principal: "TestApp^1.2.3^ISO", outcome: unknown}, protocol: hl7, port: 2575}
      count: 1
    - what: recorded, the names of the examples
      capture: pcaps/hl7/placeholder.pcap
      severity: low
  silent:
    - what: a name of its own
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB-NORTH, realm: HOSPITAL}, protocol: hl7, port: 2575}
    - what: refused under that name
      rows:
        - {authentication: {mechanism: hl7-application, principal: TEST, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 2575}
    - what: a name that merely holds such a word
      rows:
        - {authentication: {mechanism: hl7-application, principal: HL7GATEWAY}, protocol: hl7, port: 2575}
    - what: recorded, an information system
      capture: pcaps/hl7/adt_a01.pcap
    - what: recorded, an analyser
      capture: pcaps/hl7/lab_bs200e.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port, 'sends as ' || principal AS subject,
    principal AS sending_application, realm AS sending_facility, outcome, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'hl7-application' AND outcome <> 'rejected' AND device_id IS NOT NULL
    AND lower(split_part(principal, '^', 1)) IN (SELECT word FROM vocabulary WHERE list = 'placeholder_applications')
