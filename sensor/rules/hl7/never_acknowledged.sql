/*
id: HL7-007
title: HL7 feed that nobody acknowledges
severity: low
confidence: probable
why: >-
  The sender goes on although the listener never says a word. Messages that are lost are lost for good, and the sender
  would not notice if something else answered at that address or swallowed its messages. Senders that ask for no accept
  acknowledgement (MSH-15 is NE) are left out: their answer comes by another connection, or is not wanted.
remedy: >-
  Switch acknowledgements on at the listener and let the sender wait for them. If the receiver cannot answer, put an
  interface engine between the two.
references:
  - HL7 v2.8.2 2.9.2 (response in original mode)
  - HL7 v2.8.2 2.9.3 (enhanced mode)
resolves: {seen: authentication}
mappings:
  nist_csf: [PR.DS-02]
  cwe: [924]
  hipaa: ["164.312(e)(2)(i)"]
  iec_62443: [CR 3.1]
  fda: [Integ]
cases:
  fire:
    - what: forty messages, not one answer
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
      severity: low
      count: 1
    - what: two applications on one device
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0, n: 2}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 3}
        - {authentication: {mechanism: hl7-application, principal: POC, outcome: unknown}, protocol: hl7, port: 2575, n: 3}
      count: 1
    - what: it wants an accept acknowledgement here, and none at another listener
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575}
        - {attribute: {hl7.accept_acknowledgment_type: AL}, protocol: hl7, port: 2575}
        - {attribute: {hl7.accept_acknowledgment_type: NE}, protocol: hl7, port: 2575, to: 10.0.0.3}
        - {attribute: {hl7.accept_acknowledgment_type: NE}, protocol: hl7, port: 6661}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
      count: 1
    - what: recorded, the sender asks for an answer, gets none and goes on
      capture: pcaps/hl7/nobody_answers.pcap
      severity: low
  silent:
    - what: acknowledged now and then
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 400}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
        - {authentication: {mechanism: hl7-application, principal: LAB}, protocol: hl7, port: 2575, n: 2}
    - what: the listener answers in a way of its own
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 40}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
    - what: the listener's side was not seen
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0, one_sided_count: 1}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40, one_sided: true}
    - what: packets are missing
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0, gap_count: 1, lost_bytes: 60}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40, gap: true}
    - what: the sender wants no accept acknowledgement
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575}
        - {attribute: {hl7.accept_acknowledgment_type: NE, hl7.application_acknowledgment_type: AL}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
    - what: one message at the end of a capture
      rows:
        - {conversation: {initiator_bytes: 500, responder_bytes: 0}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575}
    - what: other conversations were silent, this one was not
      rows:
        - {conversation: {initiator_bytes: 20000, responder_bytes: 40}, protocol: hl7, port: 2575}
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575, to: 10.0.0.3}
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575, from: 10.0.0.12}
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 6661}
        - {conversation: {initiator_bytes: 20000, responder_bytes: 0}, protocol: hl7, port: 2575, at: +1d}
        - {authentication: {mechanism: hl7-application, principal: LAB, outcome: unknown}, protocol: hl7, port: 2575, n: 40}
    - what: recorded, the sender wants no answer
      capture: pcaps/hl7/feed_without_acknowledgement.pcap
    - what: recorded, the answer comes by another connection
      capture: pcaps/hl7/enhanced_deferred.pcap
    - what: recorded, one message
      capture: pcaps/hl7/lab_unframed.pcap
    - what: recorded, answers to others
      capture: pcaps/hl7/answer_to_another.pcap
    - what: recorded, an engine that wants no answer
      capture: pcaps/hl7/late_sender.pcap
*/
WITH silent AS (
    -- conversations seen whole, both sides, in which the listener said nothing
    SELECT scope, initiator_ip, responder_ip, port, day
    FROM seen_conversation
    WHERE protocol = 'hl7'
    GROUP BY scope, initiator_ip, responder_ip, port, day
    HAVING sum(responder_bytes) = 0 AND sum(midstream_count + one_sided_count + gap_count + lost_bytes) = 0
), no_accept AS (
    SELECT DISTINCT device_id, peer_id, port FROM seen_attribute WHERE name = 'hl7.accept_acknowledgment_type' AND value = 'NE'
)
SELECT a.device_id, NULL AS identity_id, a.scope, min(a.mac) AS mac, a.ip, NULL AS port,
    'HL7 feed without acknowledgements' AS subject,
    min(a.principal) AS sending_application, min(a.realm) AS sending_facility, sum(a.n)::BIGINT AS messages,
    a.peer_ip, a.port AS peer_port, min(a.first_ts) AS first_ts, max(a.last_ts) AS last_ts,
    arg_min(a.capture, (a.first_ts, a.frame)) AS capture, arg_min(a.frame, (a.first_ts, a.frame)) AS frame,
    arg_min(a.community_id, (a.first_ts, a.frame)) AS community_id
FROM seen_authentication AS a
JOIN silent AS s ON s.scope = a.scope AND s.initiator_ip = a.ip AND s.responder_ip = a.peer_ip AND s.port = a.port AND s.day = a.day
ANTI JOIN no_accept AS w ON w.device_id = a.device_id AND w.peer_id = a.peer_id AND w.port = a.port
WHERE a.mechanism = 'hl7-application' AND a.side = 'initiator' AND a.device_id IS NOT NULL
GROUP BY a.device_id, a.scope, a.ip, a.peer_ip, a.port, a.day
HAVING count(*) FILTER (a.outcome <> 'unknown') = 0 AND sum(a.n) >= 5
