/*
id: ID-012
title: Two devices log on as one machine
severity: high
confidence: probable
why: >-
  A machine account belongs to one computer, which alone knows its password. Two devices used the same one within a day:
  a disk was copied to a second machine, or somebody took the account's password or key out of the first. Nodes of a
  cluster that share its name do this on purpose.
remedy: >-
  Find both devices. Join the copy to the domain anew under a name of its own. If nobody knows the second device, reset
  the machine account and take that device off the network.
references:
  - MS-ADTS 6.4 (domain join and machine accounts)
  - MS-NLMP 3.3.2
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI9:2025"]
  nist_csf: [PR.AA-01, PR.AA-02]
  cwe: [290, 1391]
  attack: [T1078.002]
  hipaa: ["164.312(a)(2)(i)", "164.312(d)"]
  iec_62443: [CR 1.2, CR 1.4]
  fda: [AuthN]
cases:
  fire:
    - what: two devices on one day
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: ct1$, realm: ward, version: NTLMv2, target_name: FS1}, protocol: smb, port: 445, from: 10.0.0.12, at: +5h}
      count: 1
    - what: across midnight, at two servers
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.11, at: +12h}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.12, to: 10.0.0.3, at: +20h}
      count: 1
    - what: recorded, two machines, one machine account
      capture: pcaps/smb/machine_account_twice.pcap
      severity: high
  silent:
    - what: one device, two servers
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, to: 10.0.0.3}
    - what: a new lease for the same network card
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.11, from_mac: 8c:ec:4b:00:00:01}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.12, from_mac: 8c:ec:4b:00:00:01}
    - what: a replacement under the old name, days later
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.12, at: +4d}
    - what: the second one was refused
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2, outcome: rejected}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: a person's account
      rows:
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: the server took them for guests
      rows:
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2, guest: true}, protocol: smb, port: 445, from: 10.0.0.11}
        - {authentication: {mechanism: ntlm, principal: CT1$, realm: WARD, version: NTLMv2, guest: true}, protocol: smb, port: 445, from: 10.0.0.12}
    - what: recorded, accounts that are no machines'
      capture: pcaps/smb/two_devices.pcap
    - what: recorded, a machine account on its machine
      capture: pcaps/smb/ntlm_machine_account.pcap
*/
WITH used AS (
    SELECT identity_id, scope, device_id, day, lower(min(principal)) AS account, min(ip) AS ip,
        min(first_ts) AS first_ts, max(last_ts) AS last_ts,
        arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
        arg_min(community_id, (first_ts, frame)) AS community_id
    FROM seen_authentication
    WHERE identity_kind(mechanism) = 'account' AND principal LIKE '_%$' AND outcome = 'accepted'
        AND identity_id IS NOT NULL AND device_id IS NOT NULL AND internal
        AND json_extract_string(details, '$.guest') IS DISTINCT FROM 'true'
    GROUP BY identity_id, scope, device_id, day
), steps AS (
    SELECT *, lag(device_id) OVER w AS before_id, lag(ip) OVER w AS before_ip, lag(last_ts) OVER w AS before_ts
    FROM used
    WINDOW w AS (PARTITION BY identity_id ORDER BY first_ts, device_id)
)
SELECT NULL AS device_id, identity_id, scope, NULL AS mac, NULL AS ip, NULL AS port, 'machine account ' || min(account) AS subject,
    list_sort(list_distinct(list(device_id) || list(before_id))) AS devices, list_sort(list_distinct(list(ip) || list(before_ip))) AS ips,
    min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM steps
WHERE before_id <> device_id AND first_ts - before_ts < INTERVAL 24 HOUR
GROUP BY identity_id, scope
