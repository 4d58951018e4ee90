/*
id: NTLM-005
title: Several devices log on with one local account
severity: medium
confidence: certain
why: >-
  The account exists on the server alone, not in the domain, and two or more devices used it within a week. Its password
  lies in all of them: whoever opens one of them has it, and nobody can say which device did what.
remedy: >-
  Give each device an account of its own with access to its own folder only, in the domain if the device can. Change the
  shared password when the last of them has moved.
references:
  - MS-NLMP 3.3.2
  - IEC 62443-4-2 CR 1.5
resolves: {seen: authentication, after_days: 7}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-01]
  cwe: [1391, 798]
  attack: [T1078.003]
  hipaa: ["164.312(a)(2)(i)", "164.312(d)"]
  iec_62443: [CR 1.3, CR 1.5]
  fda: [AuthN]
cases:
  fire:
    - what: two devices, the server's own account
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: Scan, realm: fs1, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12, at: +3d}
      severity: medium
      count: 1
    - what: each names itself as the domain
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: CT1, workstation: CT1, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: scan, realm: CT2, workstation: CT2, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
      count: 1
    - what: five devices
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.13}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.14}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.15}
      severity: high
      count: 1
    - what: recorded, three devices, one account of the server
      capture: pcaps/smb/shared_local_account.pcap
      severity: medium
    - what: recorded, each names itself as the domain
      capture: pcaps/smb/shared_own_realm.pcap
      severity: medium
  silent:
    - what: an account of the domain is another finding, if it is one
      rows:
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: accounts of the same name on two servers
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11, to: 10.0.0.2}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS2, target_name: FS2}, protocol: smb, port: 445, from: 10.0.0.12, to: 10.0.0.3}
    - what: a replacement two weeks later
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12, at: +14d}
    - what: the second device was refused
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1, outcome: rejected}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: the server took them for guests, so the account need not exist
      rows:
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1, guest: true}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: scan, realm: FS1, target_name: FS1, guest: true}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: recorded, two devices, two accounts
      capture: pcaps/smb/two_devices.pcap
    - what: recorded, the server's account on one device
      capture: pcaps/smb/local_account.pcap
    - what: recorded, one name at two servers
      capture: pcaps/smb/same_name_two_servers.pcap
    - what: recorded, a domain's account
      capture: pcaps/smb/shared_fleet_account.pcap
*/
WITH used AS (
    SELECT identity_id, scope, device_id, day, lower(min(principal)) AS account, account_realm(min(realm), min(details)) AS server,
        min(ip) AS ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM seen_authentication
    WHERE mechanism = 'ntlm' AND outcome = 'accepted' AND identity_id IS NOT NULL AND device_id IS NOT NULL AND internal
        AND json_extract_string(details, '$.guest') IS DISTINCT FROM 'true'
        AND account_realm(realm, details) = lower(json_extract_string(details, '$.target_name'))
    GROUP BY identity_id, scope, device_id, day
), steps AS (
    SELECT *, lag(device_id) OVER w AS before_id, lag(ip) OVER w AS before_ip, lag(last_ts) OVER w AS before_ts
    FROM used
    WINDOW w AS (PARTITION BY identity_id ORDER BY first_ts, device_id)
)
SELECT NULL AS device_id, identity_id, scope, NULL AS mac, NULL AS ip, NULL AS port,
    'local account ' || min(account) || ' of ' || min(server) AS subject,
    CASE WHEN len(list_distinct(list(device_id) || list(before_id))) >= 5 THEN 'high' ELSE 'medium' END AS severity,
    list_sort(list_distinct(list(device_id) || list(before_id))) AS devices, list_sort(list_distinct(list(ip) || list(before_ip))) AS ips,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM steps
WHERE before_id <> device_id AND first_ts - before_ts < INTERVAL 7 DAY
GROUP BY identity_id, scope
