/*
id: SMB-008
title: One device is refused under many accounts
severity: high
confidence: probable
why: >-
  Within minutes one machine tried five or more accounts and was refused under each. That is how accounts and passwords
  are guessed; a device with a wrong password repeats the same account. A terminal server on which many people arrive in
  the morning, all with a wrong password, would look the same.
remedy: >-
  Find the machine and who runs it. Take it off the network if it is not a known scanner, and check whether it got in
  under any account since.
references:
  - MS-ERREF 2.3.1 (STATUS_LOGON_FAILURE and its relatives)
  - NIST SP 800-63B 5.2.2 (rate limiting)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [DE.CM-01]
  cwe: [307]
  attack: [T1110.001]
  hipaa: ["164.312(b)"]
  iec_62443: [CR 2.8, CR 6.2]
  fda: [Log]
cases:
  fire:
    - what: five accounts in four minutes
      rows:
        - {authentication: {mechanism: ntlm, principal: admin, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: service, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +1m}
        - {authentication: {mechanism: ntlm, principal: backup, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +2m}
        - {authentication: {mechanism: ntlm, principal: philips, realm: WARD, outcome: rejected, status: STATUS_ACCOUNT_DISABLED}, protocol: smb, port: 445, at: +3m}
        - {authentication: {mechanism: ntlm, principal: guest, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +4m}
      count: 1
    - what: across the full hour, at several servers
      rows:
        - {authentication: {mechanism: ntlm, principal: admin, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +58m, to: 10.0.0.2}
        - {authentication: {mechanism: ntlm, principal: service, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +59m, to: 10.0.0.3}
        - {authentication: {mechanism: ntlm, principal: backup, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +60m, to: 10.0.0.4}
        - {authentication: {mechanism: ntlm, principal: philips, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +61m, to: 10.0.0.5}
        - {authentication: {mechanism: ntlm, principal: guest, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +62m, to: 10.0.0.6}
      count: 1
  silent:
    - what: one account again and again is another finding
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 200}
    - what: five accounts over a day
      rows:
        - {authentication: {mechanism: ntlm, principal: a, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: b, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +1h}
        - {authentication: {mechanism: ntlm, principal: c, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +2h}
        - {authentication: {mechanism: ntlm, principal: d, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +3h}
        - {authentication: {mechanism: ntlm, principal: e, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, at: +4h}
    - what: one account, written in five ways
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: CT, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: Ct, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: ct, realm: ward, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: cT, realm: Ward, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445}
    - what: the domain could not be asked
      rows:
        - {authentication: {mechanism: ntlm, principal: a, realm: WARD, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: b, realm: WARD, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: c, realm: WARD, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: d, realm: WARD, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445}
        - {authentication: {mechanism: ntlm, principal: e, realm: WARD, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445}
    - what: recorded, one account tried eight times
      capture: pcaps/smb/old_password.pcap
    - what: recorded, an unknown account
      capture: pcaps/smb/unknown_user.pcap
*/
WITH refused AS (
    SELECT device_id, identity_id, principal, scope, mac, ip, peer_ip, first_ts, capture, frame, community_id
    FROM seen_authentication
    WHERE identity_kind(mechanism) = 'account' AND identity_id IS NOT NULL AND device_id IS NOT NULL AND outcome = 'rejected'
        AND lower(json_extract_string(details, '$.status')) IN (SELECT word FROM vocabulary WHERE list = 'refused_logon_statuses')
), windowed AS (
    -- windows of twenty minutes, one every ten: whatever lies within ten minutes lies in one of them
    SELECT *, unnest([time_bucket(INTERVAL 20 MINUTE, first_ts),
        time_bucket(INTERVAL 20 MINUTE, first_ts + INTERVAL 10 MINUTE) - INTERVAL 10 MINUTE]) AS window_ts
    FROM refused
)
SELECT device_id, NULL AS identity_id, scope, min(mac) AS mac, min(ip) AS ip, NULL AS port, 'guesses accounts' AS subject,
    count(DISTINCT identity_id) AS account_count, list_sort(list(DISTINCT lower(principal)))[:20] AS accounts,
    list_sort(list(DISTINCT peer_ip))[:20] AS peer_ips, min(first_ts) AS first_ts, max(first_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM windowed
GROUP BY device_id, scope, window_ts
HAVING count(DISTINCT identity_id) >= 5
