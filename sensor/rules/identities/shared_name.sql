/*
id: ID-009
title: Two machines bear one computer name
severity: medium
confidence: probable
why: >-
  Machines with different network cards called themselves by the same computer name within a day. One may be a copy of
  the other's disk, with all its accounts and keys, or pretend to be it. Whoever finds a device by its name may find the
  wrong one.
remedy: >-
  Find both machines. Rename the copy, and give it keys and accounts of its own; if nobody knows the second machine, take
  it off the network. One machine with two network cards that was not recognised as one: accept the finding with that
  reason.
references:
  - MS-NLMP 2.2.2.1 (MsvAvNbComputerName)
  - RFC 1001 15 (NetBIOS names)
resolves: {seen: attribute}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [ID.RA-07, DE.CM-01]
  cwe: [290]
  attack: [T1078]
  hipaa: ["164.312(d)", "164.312(c)(1)"]
  iec_62443: [CR 3.1]
  fda: [Integ]
cases:
  fire:
    - what: two servers
      rows:
        - {attribute: {ntlm.computer_name: FS1, smb.server_guid: aa-11}, side: responder, protocol: smb, port: 445, to: 10.0.0.2}
        - {attribute: {ntlm.computer_name: fs1, smb.server_guid: bb-22}, side: responder, protocol: smb, port: 445, to: 10.0.0.3, at: +2h}
      severity: high
      count: 1
    - what: two clients
      rows:
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.11}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.12, at: +2h}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.11, at: +3h}
      severity: medium
      count: 1
    - what: a client bears a server's name
      rows:
        - {attribute: {ntlm.workstation: FS1}, protocol: smb, port: 445, from: 10.0.0.12, to: 10.0.0.3}
        - {attribute: {ntlm.computer_name: FS1}, side: responder, protocol: smb, port: 445, at: +1h}
      severity: medium
      count: 1
  silent:
    - what: one card, two addresses
      rows:
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.11, from_mac: 8c:ec:4b:00:00:01}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.12, from_mac: 8c:ec:4b:00:00:01}
    - what: a server with two cards, known by its GUID
      rows:
        - {attribute: {ntlm.computer_name: FS1, smb.server_guid: aa-11}, side: responder, protocol: smb, port: 445, to: 10.0.0.2}
        - {attribute: {ntlm.computer_name: FS1, smb.server_guid: aa-11}, side: responder, protocol: smb, port: 445, to: 10.0.0.3}
    - what: a new card, days after the old one's last sight
      rows:
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.11}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.0.0.12, at: +4d}
    - what: a name that many machines get by themselves
      rows:
        - {attribute: {ntlm.workstation: WORKSTATION}, protocol: smb, port: 445, from: 10.0.0.11}
        - {attribute: {ntlm.workstation: WORKSTATION}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: behind a router, where the card is not seen
      rows:
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.1.0.11, from_mac: 00:00:5e:00:01:05}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 10.1.0.12, from_mac: 00:00:5e:00:01:05}
    - what: callers outside the hospital
      rows:
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 192.0.2.7}
        - {attribute: {ntlm.workstation: CT-CONSOLE}, protocol: smb, port: 445, from: 192.0.2.8}
    - what: recorded, two devices, two names
      capture: pcaps/smb/two_devices.pcap
*/
WITH guids AS (
    SELECT device_id, list(DISTINCT lower(value)) AS guids
    FROM seen_attribute
    WHERE name IN ('smb.server_guid', 'smb.client_guid') AND about = 'side' AND device_id IS NOT NULL
    GROUP BY device_id
), said AS (
    SELECT f.scope, lower(f.value) AS computer_name, f.device_id, f.day, any_value(g.guids) AS guids,
        bool_or(f.name IN ('ntlm.computer_name', 'smb.server_name')) AS answers, min(f.mac) AS mac, min(f.ip) AS ip,
        min(f.first_ts) AS first_ts, max(f.last_ts) AS last_ts,
        arg_min(f.capture, (f.first_ts, f.frame)) AS capture, arg_min(f.frame, (f.first_ts, f.frame)) AS frame,
        arg_min(f.community_id, (f.first_ts, f.frame)) AS community_id
    FROM seen_attribute AS f
    JOIN device AS d ON d.device_id = f.device_id
    LEFT JOIN guids AS g ON g.device_id = f.device_id
    WHERE f.name IN ('ntlm.computer_name', 'ntlm.workstation', 'smb.server_name', 'smb.calling_netbios_name') AND f.about = 'side'
        AND f.internal AND f.value <> '' AND lower(f.value) NOT IN (SELECT word FROM vocabulary WHERE list = 'default_computer_names')
        -- known by more than an address: two leases of one machine behind a router are not two machines
        AND split_part(json_extract_string(d.why, '$.id'), ' ', 1) IN ('mac', 'serial', 'device-uid')
        AND d.role IS DISTINCT FROM 'network router'
    GROUP BY f.scope, lower(f.value), f.device_id, f.day
), steps AS (
    SELECT *, min(first_ts) OVER (PARTITION BY scope, computer_name, device_id) AS since,
        lag(device_id) OVER w AS before_id, lag(ip) OVER w AS before_ip, lag(last_ts) OVER w AS before_ts,
        lag(answers) OVER w AS before_answers, coalesce(list_has_any(lag(guids) OVER w, guids), FALSE) AS same_machine
    FROM said
    WINDOW w AS (PARTITION BY scope, computer_name ORDER BY first_ts, device_id)
)
SELECT arg_max(device_id, (since, device_id)) AS device_id, NULL AS identity_id, scope, arg_max(mac, (since, device_id)) AS mac,
    arg_max(ip, (since, device_id)) AS ip, NULL AS port, 'computer name ' || computer_name AS subject,
    CASE WHEN bool_or(answers AND before_answers) THEN 'high' ELSE 'medium' END AS severity,
    list_sort(list_distinct(list(device_id) || list(before_id))) AS devices, list_sort(list_distinct(list(ip) || list(before_ip))) AS ips,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM steps
WHERE before_id <> device_id AND first_ts - before_ts < INTERVAL 24 HOUR AND NOT same_machine
GROUP BY scope, computer_name
