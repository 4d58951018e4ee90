/*
id: HL7-003
title: One HL7 listener gets test and production messages
severity: medium
confidence: certain
why: >-
  A listener that is in production, by what its messages say in MSH-11, was also sent messages marked as test or
  debugging and did not refuse them. Invented patients get into real records that way, or real ones into a test system.
remedy: >-
  Give the test system a listener of its own, and let the production listener refuse what is not marked P.
references:
  - HL7 v2.8.2 2.14.9.11 (MSH-11)
  - HL7 table 0103
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI8:2025"]
  nist_csf: [ID.AM-03, PR.IR-01]
  cwe: [668]
  hipaa: ["164.312(c)(1)"]
  iec_62443: [CR 5.1]
  fda: [Integ]
cases:
  fire:
    - what: a test message to a listener in production
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LABTEST, processing_id: T}, protocol: hl7, port: 2575, from: 10.0.0.12, at: +2h}
      count: 1
    - what: production and debugging from one sender, not acknowledged
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P, outcome: unknown}, protocol: hl7, port: 2575, until: +3h}
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: D, outcome: unknown}, protocol: hl7, port: 2575, at: +1h}
      count: 1
    - what: recorded, a test system sends into production
      capture: pcaps/hl7/test_to_production.pcap
  silent:
    - what: tests before the interface went live
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: T}, protocol: hl7, port: 2575, until: +3h}
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P}, protocol: hl7, port: 2575, at: +1d, until: +30h}
    - what: the listener refused the test message
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: T, outcome: rejected, acknowledgment_code: AR}, protocol: hl7, port: 2575, at: +1h}
    - what: tests have a port of their own
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P}, protocol: hl7, port: 2575}
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: T}, protocol: hl7, port: 2576, at: +1h}
    - what: the interface had been out of production for a month
      rows:
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: P}, protocol: hl7, port: 2575, at: -30d}
        - {authentication: {mechanism: hl7-application, principal: LAB, processing_id: T}, protocol: hl7, port: 2575}
    - what: recorded, production alone
      capture: pcaps/hl7/accepted_and_refused.pcap
    - what: recorded, an engine
      capture: pcaps/hl7/engine.pcap
*/
WITH sent AS (
    SELECT *, json_extract_string(details, '$.processing_id') AS processing_id
    FROM seen_authentication
    WHERE mechanism = 'hl7-application' AND outcome <> 'rejected' AND peer_id IS NOT NULL
), production AS (
    SELECT peer_id, port, min(first_ts) AS since, max(last_ts) AS until, list_sort(list(DISTINCT ip)) AS ips
    FROM sent
    WHERE processing_id = 'P'
    GROUP BY peer_id, port
)
SELECT t.peer_id AS device_id, NULL AS identity_id, t.scope, t.peer_mac AS mac, t.peer_ip AS ip, t.port,
    'test messages on tcp/' || t.port AS subject,
    t.processing_id, t.principal AS sending_application, t.realm AS sending_facility, t.ip AS peer_ip,
    p.ips[:20] AS production_ips,
    -- a message after the first and within a week of the last production message: the listener is in production
    greatest(t.first_ts, p.since) AS first_ts, t.last_ts, t.capture, t.frame, t.community_id
FROM sent AS t
JOIN production AS p ON p.peer_id = t.peer_id AND p.port IS NOT DISTINCT FROM t.port
    AND t.last_ts > p.since AND t.first_ts < p.until + INTERVAL 7 DAY
WHERE t.processing_id IN ('T', 'D')
