/*
id: HL7-002
title: HL7 message carries something in its security field
severity: medium
confidence: probable
why: >-
  MSH-8 is meant for the security of applications and hardly anybody uses it. Where it is filled it often holds a
  password, and that crosses the network readable in every message. Some sites put a code there that everybody may know.
remedy: >-
  Ask the interface team what the value is. If it is a password: take it out of the message, change it wherever else it
  is used, and let TLS with certificates say who is sending.
references:
  - HL7 v2.8.2 2.14.9.8 (MSH-8)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI2:2025"]
  nist_csf: [PR.AA-01]
  cwe: [522, 319]
  attack: [T1552]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.5]
  fda: [AuthN]
cases:
  fire:
    - what: a value of nine characters
      rows:
        - {authentication: {mechanism: hl7-security, principal: LAB, realm: NORTH, secret_class: other, secret_length: 8-11, secret_digest: aa11}, protocol: hl7, port: 2575}
      count: 1
    - what: from a sender that does not say its name
      rows:
        - {authentication: {mechanism: hl7-security, secret_class: short, outcome: unknown}, protocol: hl7, port: 2575}
    - what: recorded, a password in MSH-8
      capture: pcaps/hl7/security.pcap
    - what: recorded, refused
      capture: pcaps/hl7/security_refused.pcap
  silent:
    - what: the field is empty
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, realm: NORTH}, protocol: hl7, port: 2575}
    - what: inside TLS
      rows:
        - {authentication: {mechanism: hl7-security, principal: LAB, secret_class: other, protection: tls}, protocol: hl7, port: 2575}
    - what: a passcode of DICOM is another finding
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: LAB, secret_class: other}, protocol: dicom, port: 104}
    - what: recorded, an admission
      capture: pcaps/hl7/adt_a01.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    'MSH-8 of ' || coalesce(principal, 'an unnamed application') AS subject,
    principal AS sending_application, realm AS sending_facility, secret_class, secret_length, outcome,
    peer_ip, port AS peer_port, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'hl7-security' AND protection <> 'tls' AND device_id IS NOT NULL
