/*
id: HL7-006
title: HL7 listener accepts a sender that it has never seen
severity: medium
confidence: probable
why: >-
  The listener had been watched for more than a day when a device sent to it for the first time, and it accepted the
  message at once. Either somebody had let that device in beforehand, or the listener takes messages from anybody, which
  is how false results and orders get in.
remedy: >-
  Compare with the change records of the interface. If nobody connected this device on purpose, find out what it sent.
  Let the listener know its senders, by certificate (MLLP over TLS) or at least by address.
references:
  - HL7 v2.8.2 2.14.8 (MSA)
  - IHE ITI TF-2 ITI-19
resolves: {seen: authentication, after_days: 7}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [306]
  attack: [T1565.002]
  hipaa: ["164.312(d)", "164.312(c)(2)"]
  iec_62443: [CR 1.2]
  fda: [AuthN]
cases:
  fire:
    - what: a second device after two days, accepted at once
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, acknowledgment_code: AA}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, acknowledgment_code: AA}, protocol: hl7, port: 2575, at: +2d}
        - {authentication: {mechanism: hl7-application, principal: NEW, acknowledgment_code: AA}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +2d}
      count: 1
    - what: two devices after two days, in enhanced mode
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: NEW, acknowledgment_code: CA}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +2d}
        - {authentication: {mechanism: hl7-application, principal: NEW, acknowledgment_code: CA}, protocol: hl7, port: 2575, from: 10.0.0.13, at: +3d}
      count: 1
  silent:
    - what: the listener has been watched for an hour only
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: NEW}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +1h}
    - what: the new sender was refused
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: NEW, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +2d}
    - what: refused first, and let in two days later
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: NEW, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +2d}
        - {authentication: {mechanism: hl7-application, principal: NEW}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +4d}
    - what: a known device under another name
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: NEW}, protocol: hl7, port: 2575, at: +2d}
    - what: a known sender is refused on a port that is new to it
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575, until: +1m}
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575, at: +2d}
        - {authentication: {mechanism: hl7-application, principal: ADT}, protocol: hl7, port: 6661, from: 10.0.0.12}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 6661, at: +2d}
    - what: recorded, a capture of a minute does not know who is new
      capture: pcaps/hl7/same_application.pcap
*/
WITH pairs AS (
    SELECT peer_id, port, device_id, min(first_ts) AS since
    FROM seen_authentication
    WHERE mechanism = 'hl7-application' AND peer_id IS NOT NULL AND device_id IS NOT NULL
    GROUP BY peer_id, port, device_id
), known AS (
    SELECT *, min(since) OVER (PARTITION BY peer_id, port) AS watched_since FROM pairs
)
SELECT a.peer_id AS device_id, NULL AS identity_id, a.scope, a.peer_mac AS mac, a.peer_ip AS ip, a.port,
    'accepts unknown senders on tcp/' || a.port AS subject,
    a.principal AS sending_application, a.realm AS sending_facility, a.ip AS peer_ip, a.device_id AS sender, k.watched_since,
    a.first_ts, least(a.last_ts, k.since + INTERVAL 24 HOUR) AS last_ts, a.capture, a.frame, a.community_id
FROM seen_authentication AS a
JOIN known AS k ON k.peer_id = a.peer_id AND k.port IS NOT DISTINCT FROM a.port AND k.device_id = a.device_id
WHERE a.mechanism = 'hl7-application' AND a.outcome = 'accepted'
    AND k.since >= k.watched_since + INTERVAL 24 HOUR AND a.first_ts < k.since + INTERVAL 24 HOUR
