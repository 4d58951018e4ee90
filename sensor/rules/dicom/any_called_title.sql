/*
id: DCM-006
title: DICOM service answers to any AE title
severity: medium
confidence: probable
why: >-
  The service accepted associations under three or more called AE titles that it does not use itself, and refused
  none for its title in 30 days. It seems not to check titles at all, so a caller needs to know nothing to get in.
  Archives with several titles on purpose look the same: ask first.
remedy: >-
  Let the service check the called and the calling AE title, and the caller's address.
references:
  - DICOM PS3.8 9.3.4 (reject reasons 3 and 7)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025", "NHI5:2025"]
  nist_csf: [PR.AA-05]
  cwe: [862, 284]
  hipaa: ["164.312(a)(1)", "164.312(d)"]
  iec_62443: [CR 2.1]
  fda: [AuthZ]
cases:
  fire:
    - what: three titles, all accepted
      rows:
        - {authentication: {principal: CT01, called_ae_title: ONE, user_identity: none}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: TWO, user_identity: none}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: THREE, user_identity: none}, protocol: dicom, port: 104}
      count: 1
    - what: recorded, Orthanc answers to every title
      capture: pcaps/dicom/promiscuous.pcap
  silent:
    - what: two titles
      rows:
        - {authentication: {principal: CT01, called_ae_title: ONE}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: TWO}, protocol: dicom, port: 104}
    - what: it refused a fourth
      rows:
        - {authentication: {principal: CT01, called_ae_title: ONE}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: TWO}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: THREE}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: FOUR, outcome: rejected, reason: called_ae_title_not_recognized}, protocol: dicom, port: 104}
    - what: it calls itself by one of the three
      rows:
        - {authentication: {principal: CT01, called_ae_title: ONE}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: TWO}, protocol: dicom, port: 104}
        - {authentication: {principal: CT01, called_ae_title: THREE}, protocol: dicom, port: 104}
        - {authentication: {principal: THREE, called_ae_title: VIEW}, protocol: dicom, port: 104, from: 10.0.0.2, to: 10.0.0.30}
    - what: recorded, two titles
      capture: pcaps/dicom/default_titles.pcap
*/
WITH called AS (
    SELECT *, json_extract_string(details, '$.called_ae_title') AS title,
        json_extract_string(details, '$.reason') LIKE '%_ae_title_not_recognized' AS refused_title,
        max(last_ts) OVER (PARTITION BY peer_id, port) AS newest
    FROM seen_authentication
    WHERE mechanism = 'ae-title' AND peer_id IS NOT NULL
), own AS (
    SELECT DISTINCT device_id, principal AS title FROM seen_authentication WHERE mechanism = 'ae-title'
), recent AS (
    SELECT * FROM called WHERE last_ts > newest - INTERVAL 30 DAY
)
SELECT r.peer_id AS device_id, NULL AS identity_id, r.scope, min(r.peer_mac) AS mac, min(r.peer_ip) AS ip, r.port,
    'any AE title on tcp/' || r.port AS subject,
    list_sort(list(DISTINCT r.title)) AS called_ae_titles, count(DISTINCT r.principal) AS calling_count,
    min(r.first_ts) AS first_ts, max(r.last_ts) AS last_ts,
    arg_min(r.capture, (r.first_ts, r.frame)) AS capture, arg_min(r.frame, (r.first_ts, r.frame)) AS frame,
    arg_min(r.community_id, (r.first_ts, r.frame)) AS community_id
FROM recent AS r
ANTI JOIN own AS o ON o.device_id = r.peer_id AND o.title = r.title
WHERE r.outcome = 'accepted'
    AND NOT EXISTS (
        FROM recent AS n
        WHERE n.peer_id = r.peer_id AND n.port IS NOT DISTINCT FROM r.port AND n.outcome = 'rejected' AND n.refused_title
    )
GROUP BY r.peer_id, r.scope, r.port
HAVING count(DISTINCT r.title) >= 3
