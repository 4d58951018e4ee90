/*
id: ID-001
title: Several devices log on with one account
severity: medium
confidence: probable
why: >-
  Two or more devices used the same account within a week, and it is no person's: its name is a service's, a maker's or a
  product's, or devices of one model share it. The password lies in all of them, so whoever opens one has it for all;
  changing it means visiting each; and the logs cannot tell which device it was. People who log on under their own names
  at several devices of one model look the same: then it is no finding.
remedy: >-
  Give each device an account of its own with the rights that it needs. If the maker ships the same account with every
  device, ask how to change it, and let the account work from these devices' addresses only until then.
references:
  - OWASP NHI9:2025 (NHI reuse)
  - IEC 62443-4-2 CR 1.3
resolves: {seen: authentication, after_days: 7}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1391, 798]
  attack: [T1078, T0891]
  hipaa: ["164.312(a)(2)(i)", "164.312(d)"]
  iec_62443: [CR 1.3, CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: a service's account on two devices
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: SVC-Export, realm: ward, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12, at: +3d}
      severity: medium
      count: 1
    - what: an account on two scanners of one model, whatever its name
      rows:
        - {attribute: {dicom.manufacturer: GE MEDICAL SYSTEMS, dicom.model_name: Revolution CT, dicom.device_serial_number: 1001ct}, protocol: dicom, port: 104, about: "serial:ge|1001ct", from: 10.0.0.11}
        - {attribute: {dicom.manufacturer: GE MEDICAL SYSTEMS, dicom.model_name: Revolution CT, dicom.device_serial_number: 1002ct}, protocol: dicom, port: 104, about: "serial:ge|1002ct", from: 10.0.0.12}
        - {attribute: {dicom.implementation_class_uid: 1.2.840.113619.6.55}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {attribute: {dicom.implementation_class_uid: 1.2.840.113619.6.55}, protocol: dicom, port: 104, from: 10.0.0.12}
        - {authentication: {mechanism: dicom-username-passcode, principal: gantry}, protocol: dicom, port: 104, from: 10.0.0.11}
        - {authentication: {mechanism: dicom-username-passcode, principal: gantry}, protocol: dicom, port: 104, from: 10.0.0.12}
      severity: high
      count: 1
    - what: an operating system's account on five devices
      rows:
        - {authentication: {mechanism: ntlm, principal: Administrator, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: Administrator, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: Administrator, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.13}
        - {authentication: {mechanism: ntlm, principal: Administrator, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.14}
        - {authentication: {mechanism: ntlm, principal: Administrator, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.15}
      severity: critical
      count: 1
    - what: recorded, five devices of one model
      capture: pcaps/smb/shared_fleet_account.pcap
      severity: critical
  silent:
    - what: a person's account on two workstations
      rows:
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: one device, two servers
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS2}, protocol: smb, port: 445, to: 10.0.0.3}
    - what: one name in two domains
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: NORTH, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: SOUTH, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: the server's own account is another finding
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: the second device was refused
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1, outcome: rejected}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: a replacement two weeks later
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12, at: +14d}
    - what: machine accounts are another finding
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: callers outside the hospital
      rows:
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 192.0.2.7}
        - {authentication: {mechanism: ntlm, principal: svc-export, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 192.0.2.8}
    - what: recorded, two devices, two accounts
      capture: pcaps/smb/two_devices.pcap
    - what: recorded, the server's own account is another finding
      capture: pcaps/smb/shared_local_account.pcap
    - what: recorded, one name at two servers
      capture: pcaps/smb/same_name_two_servers.pcap
*/
WITH used AS (
    SELECT identity_id, scope, device_id, day, min(lower(regexp_replace(principal, '@[^@]*$', ''))) AS account,
        min(lower(realm)) AS realm, min(ip) AS ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM seen_authentication
    WHERE identity_kind(mechanism) IN ('account', 'dicom-username') AND outcome <> 'rejected'
        AND identity_id IS NOT NULL AND device_id IS NOT NULL AND internal AND principal NOT LIKE '%$'
        AND json_extract_string(details, '$.guest') IS DISTINCT FROM 'true'
        -- a server's own accounts have a rule of their own
        AND account_realm(realm, details) IS DISTINCT FROM coalesce(lower(json_extract_string(details, '$.target_name')), '')
    GROUP BY identity_id, scope, device_id, day
), steps AS (
    SELECT *, lag(device_id) OVER w AS before_id, lag(ip) OVER w AS before_ip, lag(last_ts) OVER w AS before_ts
    FROM used
    WINDOW w AS (PARTITION BY identity_id ORDER BY first_ts, device_id)
), shared AS (
    SELECT identity_id, scope, min(account) AS account, min(realm) AS realm,
        list_sort(list_distinct(list(device_id) || list(before_id))) AS devices,
        list_sort(list_distinct(list(ip) || list(before_ip))) AS ips,
        min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM steps
    WHERE before_id <> device_id AND first_ts - before_ts < INTERVAL 7 DAY
    GROUP BY identity_id, scope
), models AS (
    -- the model that two of the devices have, if any
    SELECT h.identity_id, min(d.model) AS model
    FROM (SELECT identity_id, unnest(devices) AS device_id FROM shared) AS h
    JOIN device AS d ON d.device_id = h.device_id
    WHERE d.model IS NOT NULL
    GROUP BY h.identity_id, d.vendor, d.model
    HAVING count(*) > 1
), one_model AS (
    SELECT identity_id, min(model) AS model FROM models GROUP BY identity_id
)
SELECT NULL AS device_id, s.identity_id, s.scope, NULL AS mac, NULL AS ip, NULL AS port, 'account ' || s.account AS subject,
    CASE WHEN len(s.devices) >= 5 THEN 'critical' WHEN m.model IS NOT NULL THEN 'high' ELSE 'medium' END AS severity,
    s.account, s.realm, i.belongs_to, m.model AS same_model, len(s.devices) AS device_count, s.devices, s.ips,
    s.first_ts, s.last_ts, s.capture, s.frame, s.community_id
FROM shared AS s
LEFT JOIN identity AS i ON i.identity_id = s.identity_id
LEFT JOIN one_model AS m ON m.identity_id = s.identity_id
WHERE m.model IS NOT NULL OR i.belongs_to IN ('service', 'vendor', 'device')
    OR s.account IN (SELECT word FROM vocabulary WHERE list IN ('vendor_accounts', 'default_accounts'))
