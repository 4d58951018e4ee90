/*
id: DCM-011
title: Somebody tries out AE titles
severity: medium
confidence: certain
why: >-
  One machine was refused more than five times within five minutes, under three or more different titles. That is
  how AE titles are guessed; a wrong configuration repeats the same title.
remedy: >-
  Find the machine and ask who runs it. Block it if it is not a known scanner.
references:
  - DICOM PS3.8 9.3.4 (reject reasons 3 and 7)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [DE.CM-01]
  cwe: [307]
  attack: [T1046, T1110.001]
  hipaa: ["164.312(b)"]
  iec_62443: [CR 2.8, CR 6.2]
  fda: [Log]
cases:
  fire:
    - what: six titles in a minute
      rows:
        - {authentication: {principal: X, called_ae_title: A1, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, n: 2}
        - {authentication: {principal: X, called_ae_title: A2, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, at: +20s, n: 2}
        - {authentication: {principal: X, called_ae_title: A3, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, at: +40s, n: 2}
      count: 1
    - what: recorded, a scanner
      capture: pcaps/dicom/rejected_enumeration.pcap
  silent:
    - what: the same title again and again
      rows:
        - {authentication: {principal: X, called_ae_title: A1, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, n: 200, until: +4m}
    - what: three titles in three days
      rows:
        - {authentication: {principal: X, called_ae_title: A1, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, n: 3}
        - {authentication: {principal: X, called_ae_title: A2, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, at: +1d, n: 3}
        - {authentication: {principal: X, called_ae_title: A3, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104, at: +2d, n: 3}
    - what: three refusals at once
      rows:
        - {authentication: {principal: X, called_ae_title: A1, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104}
        - {authentication: {principal: X, called_ae_title: A2, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104}
        - {authentication: {principal: X, called_ae_title: A3, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104}
    - what: refused because the service is busy
      rows:
        - {authentication: {principal: X, called_ae_title: A1, outcome: rejected, reason: local_limit_exceeded}, protocol: dicom, port: 104, n: 3}
        - {authentication: {principal: X, called_ae_title: A2, outcome: rejected, reason: local_limit_exceeded}, protocol: dicom, port: 104, n: 3}
        - {authentication: {principal: X, called_ae_title: A3, outcome: rejected, reason: local_limit_exceeded}, protocol: dicom, port: 104, n: 3}
    - what: recorded, one wrong title
      capture: pcaps/dicom/rejected_called.pcap
*/
WITH refused AS (
    -- a row is one pair of titles on a day; only those that lie within five minutes themselves can be placed
    SELECT *, coalesce(principal, '') || ' > ' || coalesce(json_extract_string(details, '$.called_ae_title'), '') AS titles
    FROM seen_authentication
    WHERE mechanism = 'ae-title' AND outcome = 'rejected' AND device_id IS NOT NULL
        AND json_extract_string(details, '$.reason') LIKE '%_ae_title_not_recognized'
        AND last_ts - first_ts <= INTERVAL 5 MINUTE
), heads AS (
    SELECT device_id, scope, ip, first_ts, min(mac) AS mac, arg_min(capture, (frame, capture)) AS capture, min(frame) AS frame,
        arg_min(community_id, (frame, capture)) AS community_id
    FROM refused
    GROUP BY device_id, scope, ip, first_ts
)
SELECT head.device_id, NULL AS identity_id, head.scope, head.mac, head.ip, NULL AS port,
    'guesses AE titles' AS subject,
    sum(tail.n)::BIGINT AS refused, count(DISTINCT tail.titles) AS title_count, min(tail.peer_ip) AS peer_ip,
    min(tail.first_ts) AS first_ts, max(tail.last_ts) AS last_ts, head.capture, head.frame, head.community_id
FROM heads AS head
JOIN refused AS tail ON tail.device_id = head.device_id AND tail.first_ts >= head.first_ts
    AND tail.last_ts <= head.first_ts + INTERVAL 5 MINUTE
GROUP BY ALL
HAVING sum(tail.n) > 5 AND count(DISTINCT tail.titles) >= 3
