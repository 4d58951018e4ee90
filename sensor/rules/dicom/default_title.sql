/*
id: DCM-007
title: Default AE title in use
severity: low
confidence: certain
why: >-
  The AE title is the one that the product or a test tool ships with. Titles are often the only thing that a DICOM
  service checks, and these are the first that an intruder tries. They also tell nobody which device it is.
remedy: >-
  Give the device an AE title of its own and enter it at its peers.
references:
  - DICOM PS3.8 9.3.2
  - DICOM PS3.15 H (unique AE titles)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1188]
  attack: [T1078.001]
  hipaa: ["164.312(a)(2)(i)"]
  iec_62443: [CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: a toolkit's title calls
      rows:
        - {authentication: {principal: STORESCU, called_ae_title: ARCHIVE_01}, protocol: dicom, port: 104}
      count: 1
    - what: a product's title is called
      rows:
        - {authentication: {principal: CT01, called_ae_title: ORTHANC}, protocol: dicom, port: 104}
      count: 1
    - what: recorded, titles of test tools and of Orthanc
      capture: pcaps/dicom/default_titles.pcap
  silent:
    - what: own titles on both sides
      rows:
        - {authentication: {principal: CT01, called_ae_title: ARCHIVE_01}, protocol: dicom, port: 104}
    - what: refused under that title, so it is not the device's
      rows:
        - {authentication: {principal: CT01, called_ae_title: ANY-SCP, outcome: rejected}, protocol: dicom, port: 104}
    - what: recorded, titles of their own
      capture: pcaps/dicom/store20.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port, 'calls itself ' || principal AS subject,
    principal AS ae_title, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'ae-title' AND device_id IS NOT NULL
    AND lower(principal) IN (SELECT word FROM vocabulary WHERE list = 'default_ae_titles')
UNION ALL
SELECT peer_id, identity_id('ae-title', scope, '', json_extract_string(details, '$.called_ae_title')),
    scope, peer_mac, peer_ip, port, 'answers to ' || json_extract_string(details, '$.called_ae_title'),
    json_extract_string(details, '$.called_ae_title'), ip, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'ae-title' AND outcome = 'accepted' AND peer_id IS NOT NULL
    AND lower(json_extract_string(details, '$.called_ae_title')) IN (SELECT word FROM vocabulary WHERE list = 'default_ae_titles')
