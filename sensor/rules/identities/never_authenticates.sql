/*
id: ID-008
title: Active device without any observed authentication
severity: low
confidence: probable
why: >-
  The device has talked for a month or longer and never showed an identity, although most of its conversations could
  be understood. It may be unmanaged, or talk to others in ways that ask for no proof.
remedy: >-
  Find out what the device is and who is responsible for it, and enter it in the inventory. Look at its blind spots
  first: what could not be seen is listed there.
references:
  - NIST SP 800-207 2.1
  - IEC 62443-4-2 CR 7.8
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI1:2025"]
  nist_csf: [ID.AM-01, ID.AM-02, DE.CM-01]
  cwe: [778]
  hipaa: ["164.312(b)"]
  iec_62443: [CR 7.8, CR 6.2]
  fda: [Log]
cases:
  fire:
    - what: active for forty days, understood, never a proof
      rows:
        - {conversation: {n: 5}, protocol: dicom, port: 104}
        - {conversation: {n: 5}, protocol: dicom, port: 104, at: +40d}
      severity: low
      count: 2
    - what: active for a hundred days
      rows:
        - {conversation: {n: 5}, protocol: dicom, port: 104}
        - {conversation: {n: 5}, protocol: dicom, port: 104, at: +50d}
        - {conversation: {n: 5}, protocol: dicom, port: 104, at: +100d}
      severity: medium
  silent:
    - what: seen for a week only
      rows:
        - {conversation: {n: 5}, protocol: dicom, port: 104}
        - {conversation: {n: 5}, protocol: dicom, port: 104, at: +7d}
    - what: both showed who they are
      rows:
        - {conversation: {n: 5}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE}, protocol: dicom, port: 104}
        - {conversation: {n: 5}, protocol: dicom, port: 104, at: +40d}
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE}, protocol: dicom, port: 104, at: +35d}
    - what: nothing was understood, so nothing can be said
      rows:
        - {conversation: {n: 5, confidence: port}, protocol: '', port: 9100}
        - {conversation: {n: 5, confidence: port}, protocol: '', port: 9100, at: +40d}
    - what: half of it was TLS 1.3, which hides certificates
      rows:
        - {conversation: {n: 5}, port: 443}
        - {channel: {version: TLS 1.3, certificates_hidden: true}, port: 443, n: 5}
        - {conversation: {n: 5}, port: 443, at: +40d}
        - {channel: {version: TLS 1.3, certificates_hidden: true}, port: 443, at: +40d, n: 5}
    - what: one day in clear among days of TLS 1.3
      rows:
        - {conversation: {n: 9}, protocol: dicom, port: 104}
        - {conversation: {n: 1}, port: 443, at: +20d}
        - {channel: {version: TLS 1.3, certificates_hidden: true}, port: 443, at: +20d}
        - {conversation: {n: 1}, port: 443, at: +40d}
        - {channel: {version: TLS 1.3, certificates_hidden: true}, port: 443, at: +40d}
    - what: recorded, a capture of a minute says nothing about months
      capture: pcaps/dicom/echo.pcap
*/
WITH talk AS (
    SELECT initiator_id AS device_id, scope, initiator_mac AS mac, initiator_ip AS ip,
        first_ts, last_ts, capture, frame, community_id, day, initiator_internal AS internal
    FROM seen_conversation
    UNION ALL
    SELECT responder_id, scope, responder_mac, responder_ip, first_ts, last_ts, capture, frame, community_id, day, responder_internal
    FROM seen_conversation
), active AS (
    SELECT device_id, min(scope) AS scope, min(mac) AS mac, min(ip) AS ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        count(DISTINCT day) AS day_count,
        arg_max(capture, (last_ts, frame)) AS capture, arg_max(frame, (last_ts, frame)) AS frame,
        arg_max(community_id, (last_ts, frame)) AS community_id
    FROM talk
    WHERE device_id IS NOT NULL AND internal
    GROUP BY device_id
), sight AS (
    -- by days: five conversations in clear on one day do not make up for a week of encrypted ones
    SELECT device_id, sum(understood) AS understood, sum(conversations) AS conversations,
        count(*) FILTER (WHERE understood * 2 > conversations) AS clear_days, count(*) AS days
    FROM (SELECT DISTINCT device_id, day, conversations, understood FROM blindspot)
    GROUP BY device_id
), proofs AS (
    SELECT device_id, max(last_ts) AS last_ts FROM identity_use GROUP BY device_id
)
SELECT a.device_id, NULL AS identity_id, a.scope, a.mac, a.ip, NULL AS port, 'no authentication observed' AS subject,
    CASE WHEN a.last_ts - coalesce(p.last_ts, a.first_ts) >= INTERVAL 90 DAY THEN 'medium' ELSE 'low' END AS severity,
    a.day_count AS active_days, p.last_ts AS last_authentication, s.conversations, s.understood,
    a.first_ts, a.last_ts, a.capture, a.frame, a.community_id
FROM active AS a
JOIN sight AS s ON s.device_id = a.device_id
LEFT JOIN proofs AS p ON p.device_id = a.device_id
JOIN device AS d ON d.device_id = a.device_id
WHERE a.last_ts > $now - INTERVAL 7 DAY AND d.role IS DISTINCT FROM 'network router'
    AND a.last_ts - coalesce(p.last_ts, a.first_ts) >= INTERVAL 30 DAY
    AND s.clear_days * 2 > s.days
