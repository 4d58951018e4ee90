/*
id: HL7-004
title: Several devices send as the same HL7 application
severity: low
confidence: probable
why: >-
  Two devices sent messages with the same sending application and facility within a day. The receiver cannot tell whose
  results it files, and a name that it trusts is trusted wherever it comes from. Interface engines, which send on behalf
  of others, are left out where they can be recognised; a standby pair of gateways looks the same and may be meant.
remedy: >-
  Give each sender an MSH-3 of its own, or the equipment's identifier in OBX-18, and let the receiver check it together
  with the sender's certificate or address.
references:
  - HL7 v2.8.2 2.14.9.3 (MSH-3)
  - HL7 v2.8.2 2.14.9.4 (MSH-4)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-02]
  cwe: [287]
  attack: [T1078]
  hipaa: ["164.312(a)(2)(i)", "164.312(c)(2)"]
  iec_62443: [CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: two monitors to one listener
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +5h}
      severity: medium
      count: 1
    - what: two monitors, each to a listener of its own
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 6661, from: 10.0.0.12, to: 10.0.0.3}
      severity: low
      count: 1
    - what: recorded, two machines send as one application
      capture: pcaps/hl7/same_application.pcap
  silent:
    - what: the same application at two facilities
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MON, realm: OR}, protocol: hl7, port: 2575, from: 10.0.0.12}
    - what: an engine passes the message on
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 6661, from: 10.0.0.11, to: 10.0.0.5}
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.5, to: 10.0.0.2}
    - what: two nodes of an interface engine
      rows:
        - {authentication: {mechanism: hl7-application, principal: MIRTH, realm: NORTH}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MIRTH, realm: NORTH}, protocol: hl7, port: 2575, from: 10.0.0.12}
    - what: a new lease for the same network card
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON}, protocol: hl7, port: 2575, from: 10.0.0.11, from_mac: 8c:ec:4b:00:00:01}
        - {authentication: {mechanism: hl7-application, principal: MON}, protocol: hl7, port: 2575, from: 10.0.0.12, from_mac: 8c:ec:4b:00:00:01}
    - what: a replacement a week later
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MON}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +7d}
    - what: the second device was refused
      rows:
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU}, protocol: hl7, port: 2575, from: 10.0.0.11}
        - {authentication: {mechanism: hl7-application, principal: MON, realm: ICU, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 2575, from: 10.0.0.12}
    - what: recorded, an engine passes on what it gets
      capture: pcaps/hl7/engine.pcap
    - what: recorded, two monitors, each with its own name
      capture: pcaps/hl7/monitor_itself.pcap
    - what: recorded, an information system passes results on
      capture: pcaps/hl7/lab_passes_on.pcap
*/
WITH received AS (
    SELECT DISTINCT identity_id, peer_id FROM seen_authentication WHERE mechanism = 'hl7-application'
), used AS (
    SELECT s.identity_id, s.scope, s.device_id, s.day, min(s.principal) AS principal, min(s.realm) AS realm, min(s.ip) AS ip,
        list(DISTINCT concat_ws(':', s.peer_id, s.port)) AS listeners, min(s.first_ts) AS first_ts, max(s.last_ts) AS last_ts,
        arg_min(s.capture, (s.first_ts, s.frame)) AS capture, arg_min(s.frame, (s.first_ts, s.frame)) AS frame,
        arg_min(s.community_id, (s.first_ts, s.frame)) AS community_id
    FROM seen_authentication AS s
    -- who gets messages of an application and sends them passes them on
    ANTI JOIN received AS r ON r.identity_id = s.identity_id AND r.peer_id = s.device_id
    WHERE s.mechanism = 'hl7-application' AND s.outcome <> 'rejected' AND s.device_id IS NOT NULL AND s.identity_id IS NOT NULL
        AND lower(split_part(s.principal, '^', 1)) NOT IN (SELECT word FROM vocabulary WHERE list = 'engine_names')
    GROUP BY s.identity_id, s.scope, s.device_id, s.day
), steps AS (
    SELECT *, lag(device_id) OVER w AS before_id, lag(ip) OVER w AS before_ip, lag(last_ts) OVER w AS before_ts,
        list_has_any(lag(listeners) OVER w, listeners) AS same_listener
    FROM used
    WINDOW w AS (PARTITION BY identity_id ORDER BY first_ts, device_id)
)
SELECT NULL AS device_id, identity_id, scope, NULL AS mac, NULL AS ip, NULL AS port,
    'HL7 application ' || min(principal) AS subject,
    CASE WHEN bool_or(same_listener) THEN 'medium' ELSE 'low' END AS severity,
    min(principal) AS sending_application, min(realm) AS sending_facility,
    list_sort(list_distinct(list(device_id) || list(before_id))) AS devices, list_sort(list_distinct(list(ip) || list(before_ip))) AS ips,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM steps
WHERE before_id <> device_id AND first_ts - before_ts < INTERVAL 24 HOUR
GROUP BY identity_id, scope
