/*
id: HL7-005
title: HL7 in clear text across the hospital's border
severity: high
confidence: certain
why: >-
  One side of the connection lies outside the hospital, and nothing protects what is said. Everybody between the two can
  read and change it, and the listener cannot know who is calling. A partner whose traffic comes through a tunnel that
  ends before the sensor looks the same: then enter the partner's network in the site file.
remedy: >-
  Bring the partner in through a VPN or MLLP over TLS with certificates on both sides, and forbid the plain port at the
  firewall.
references:
  - HL7 Minimal Lower Layer Protocol 1
  - IHE ITI TF-2 ITI-19
resolves: {seen: conversation}
mappings:
  owasp_nhi: ["NHI3:2025"]
  nist_csf: [PR.IR-01, DE.CM-06]
  cwe: [319, 668]
  attack: [T1199, T1133]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [NDR 1.13]
  fda: [Conf]
cases:
  fire:
    - what: a sender outside reaches a listener
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, from: 192.0.2.7}
      count: 1
    - what: a device sends to a listener outside
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, to: 192.0.2.7}
      severity: high
      count: 1
    - what: recorded, a reading service outside
      capture: pcaps/hl7/outside.pcap
  silent:
    - what: within the hospital
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575}
    - what: inside TLS
      rows:
        - {channel: {version: HL7 v2, encrypted: true}, protocol: hl7, port: 2575, to: 192.0.2.7}
    - what: two partners speak with each other
      rows:
        - {channel: {version: HL7 v2, encrypted: false, signed: none}, protocol: hl7, port: 2575, from: 198.51.100.9, to: 192.0.2.7}
    - what: from outside, inside TLS
      rows:
        - {channel: {version: HL7 v2, encrypted: true}, protocol: hl7, port: 2575, from: 192.0.2.7}
    - what: recorded, an admission
      capture: pcaps/hl7/adt_a01.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port, 'HL7 from outside on tcp/' || port AS subject,
    version, json_extract_string(details, '$.framing') AS framing, peer_ip, NULL AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE protocol = 'hl7' AND NOT encrypted AND internal AND NOT peer_internal AND device_id IS NOT NULL
UNION ALL
SELECT peer_id, NULL, scope, peer_mac, peer_ip, NULL, 'HL7 to outside',
    version, json_extract_string(details, '$.framing'), ip, port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE protocol = 'hl7' AND NOT encrypted AND peer_internal AND NOT internal AND peer_id IS NOT NULL
