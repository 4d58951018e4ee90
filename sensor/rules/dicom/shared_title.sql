/*
id: DCM-008
title: Several devices call themselves by the same AE title
severity: medium
confidence: certain
why: >-
  Two devices used one AE title within a day. Their peers cannot tell them apart: images may be sent to the wrong
  one, and a title that a service trusts is trusted wherever it comes from.
remedy: >-
  Give each device an AE title of its own.
references:
  - DICOM PS3.8 9.3.2
  - DICOM PS3.15 H (unique AE titles)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-01, PR.AA-02]
  cwe: [287, 1391]
  attack: [T1078]
  hipaa: ["164.312(a)(2)(i)", "164.312(d)"]
  iec_62443: [CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: two devices on one day
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, at: +5h}
      count: 1
    - what: recorded, two CTs, one title
      capture: pcaps/dicom/same_calling_title.pcap
  silent:
    - what: two devices, two titles
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT02}, protocol: dicom, port: 104, from: 10.0.0.12}
    - what: a new lease for the same network card
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11, from_mac: 8c:ec:4b:00:00:01}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, from_mac: 8c:ec:4b:00:00:01, at: +5h}
    - what: the title of a test tool is another finding
      rows:
        - {authentication: {principal: ECHOSCU}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: ECHOSCU}, protocol: dicom, port: 104, from: 10.0.0.12}
    - what: a replacement a week later is another finding
      rows:
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {principal: CT01}, protocol: dicom, port: 104, from: 10.0.0.12, at: +7d}
    - what: recorded, three modalities and a router
      capture: pcaps/dicom/router.pcap
*/
WITH used AS (
    SELECT identity_id, principal, scope, device_id, ip, day, first_ts, last_ts, capture, frame, community_id
    FROM seen_authentication
    WHERE mechanism = 'ae-title' AND outcome <> 'rejected' AND device_id IS NOT NULL
        AND lower(principal) NOT IN (SELECT word FROM vocabulary WHERE list = 'default_ae_titles')
)
SELECT NULL AS device_id, later.identity_id, later.scope, NULL AS mac, NULL AS ip, NULL AS port,
    'AE title ' || later.principal AS subject,
    later.principal AS ae_title, list_sort(list_distinct(list(later.device_id) || list(earlier.device_id))) AS devices,
    list_sort(list_distinct(list(later.ip) || list(earlier.ip))) AS ips,
    min(later.first_ts) AS first_ts,
    max(least(later.last_ts, earlier.last_ts + INTERVAL 24 HOUR)) AS last_ts,
    arg_min(later.capture, (later.first_ts, later.frame)) AS capture, arg_min(later.frame, (later.first_ts, later.frame)) AS frame,
    arg_min(later.community_id, (later.first_ts, later.frame)) AS community_id
FROM used AS later
JOIN used AS earlier ON earlier.identity_id = later.identity_id AND earlier.device_id <> later.device_id
    AND earlier.first_ts <= later.first_ts AND later.first_ts - earlier.last_ts < INTERVAL 24 HOUR
GROUP BY later.identity_id, later.scope, later.principal
