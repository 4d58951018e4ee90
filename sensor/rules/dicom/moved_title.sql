/*
id: DCM-009
title: AE title has moved to another device
severity: high
confidence: probable
why: >-
  A title that one device had used for days is now used by another one, and the first has fallen silent. A
  replacement or a new network card looks like that, and so does an intruder who uses a title that services trust.
remedy: >-
  Compare with the change records. If nobody replaced the device, find the machine with the new address and take it
  off the network.
references:
  - DICOM PS3.15 H (unique AE titles)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [DE.CM-01, ID.RA-07]
  cwe: [290, 287]
  attack: [T1078]
  hipaa: ["164.312(d)", "164.312(c)(1)"]
  iec_62443: [CR 3.1]
  fda: [Integ]
cases:
  fire:
    - what: another device a week later
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11, at: +2d}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, at: +7d}
      count: 1
  silent:
    - what: the same device all the time
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, at: +2d}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, at: +7d}
    - what: the first had used it on a single day
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, at: +7d}
    - what: both use it, which is another finding
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11, at: +2d}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, at: +7d}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11, at: +8d}
    - what: recorded, two CTs at the same time
      capture: pcaps/dicom/same_calling_title.pcap
*/
WITH spans AS (
    SELECT identity_id, principal, scope, device_id, min(mac) AS mac, max(ip) AS ip,
        min(first_ts) AS first_ts, max(last_ts) AS last_ts, count(DISTINCT day) AS day_count,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM seen_authentication
    WHERE mechanism = 'ae-title' AND outcome <> 'rejected' AND device_id IS NOT NULL
        AND lower(principal) NOT IN (SELECT word FROM vocabulary WHERE list = 'default_ae_titles')
    GROUP BY identity_id, principal, scope, device_id
)
SELECT later.device_id, later.identity_id, later.scope, later.mac, later.ip, NULL AS port,
    'AE title ' || later.principal AS subject,
    later.principal AS ae_title, before.device_id AS earlier_device, before.ip AS earlier_ip, before.last_ts AS earlier_until,
    later.first_ts, later.last_ts, later.capture, later.frame, later.community_id
FROM spans AS later
JOIN spans AS before ON before.identity_id = later.identity_id AND before.device_id <> later.device_id
WHERE before.day_count > 1 AND later.first_ts - before.last_ts >= INTERVAL 24 HOUR
