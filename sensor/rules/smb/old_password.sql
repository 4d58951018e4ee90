/*
id: SMB-006
title: Device goes on logging on with an account that is refused
severity: low
confidence: probable
why: >-
  One device was refused five times or more on a day, always as the same account, and not let in after it. Mostly the
  password was changed and not in the device: then its exports and reports do not arrive, and the account may be locked
  for everybody who uses it.
remedy: >-
  Enter the new password in the device, or find the program on it that still has the old one. If nobody knows the
  account, find out who is at that machine.
references:
  - MS-ERREF 2.3.1 (STATUS_LOGON_FAILURE and its relatives)
  - MS-SMB2 3.3.5.5
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-01, DE.CM-01]
  cwe: [307]
  attack: [T1110.001]
  hipaa: ["164.312(b)"]
  iec_62443: [CR 2.8]
  fda: [Log]
cases:
  fire:
    - what: the same account forty times a day
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 40, until: +8h}
      severity: low
      count: 1
    - what: the account is locked by now
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 3}
        - {authentication: {mechanism: ntlm, principal: CT-Export, realm: ward, version: NTLMv2, outcome: rejected, status: STATUS_ACCOUNT_LOCKED_OUT}, protocol: smb, port: 445, n: 9, at: +1h}
      severity: medium
      count: 1
    - what: another account was let in, and the account at another server
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 9}
        - {authentication: {mechanism: ntlm, principal: ct-report, realm: WARD}, protocol: smb, port: 445, at: +1h}
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD}, protocol: smb, port: 445, at: +1h, to: 10.0.0.3}
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD}, protocol: smb, port: 445, at: +1d}
      count: 1
    - what: recorded, a CT with the password of before, until it is locked out
      capture: pcaps/smb/old_password.pcap
      severity: medium
  silent:
    - what: a slip of the finger, and then the right password
      rows:
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 6}
        - {authentication: {mechanism: ntlm, principal: nurse7, realm: WARD, version: NTLMv2, status: STATUS_SUCCESS}, protocol: smb, port: 445, at: +5m}
    - what: refused twice
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 2}
    - what: the server was not ready
      rows:
        - {authentication: {mechanism: ntlm, principal: ct-export, realm: WARD, version: NTLMv2, outcome: rejected, status: STATUS_NO_LOGON_SERVERS}, protocol: smb, port: 445, n: 40}
    - what: three accounts, four times each
      rows:
        - {authentication: {mechanism: ntlm, principal: a, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 4}
        - {authentication: {mechanism: ntlm, principal: b, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 4}
        - {authentication: {mechanism: ntlm, principal: c, realm: WARD, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 445, n: 4}
    - what: recorded, one wrong password
      capture: pcaps/smb/wrong_password.pcap
    - what: recorded, two wrong among right ones
      capture: pcaps/smb/three_sessions_one_refused.pcap
    - what: recorded, one wrong password in a domain
      capture: pcaps/smb/ntlm_domain_wrong_password.pcap
*/
WITH logons AS (
    SELECT *, json_extract_string(details, '$.status') AS status
    FROM seen_authentication
    WHERE identity_kind(mechanism) = 'account' AND identity_id IS NOT NULL AND device_id IS NOT NULL
), refused AS (
    SELECT * FROM logons
    WHERE outcome = 'rejected' AND lower(status) IN (SELECT word FROM vocabulary WHERE list = 'refused_logon_statuses')
), let_in AS (
    SELECT device_id, identity_id, peer_ip, day, max(last_ts) AS last_ts
    FROM logons
    WHERE outcome = 'accepted'
    GROUP BY device_id, identity_id, peer_ip, day
)
SELECT r.device_id, r.identity_id, r.scope, min(r.mac) AS mac, min(r.ip) AS ip, NULL AS port,
    'logon refused again and again' AS subject,
    CASE WHEN bool_or(r.status = 'STATUS_ACCOUNT_LOCKED_OUT') THEN 'medium' ELSE 'low' END AS severity,
    min(r.principal) AS principal, min(r.realm) AS realm, list_sort(list(DISTINCT r.status)) AS statuses,
    sum(r.n)::BIGINT AS refused, r.peer_ip, min(r.port) AS peer_port,
    min(r.first_ts) AS first_ts, max(r.last_ts) AS last_ts,
    arg_min(r.capture, (r.first_ts, r.frame)) AS capture, arg_min(r.frame, (r.first_ts, r.frame)) AS frame,
    arg_min(r.community_id, (r.first_ts, r.frame)) AS community_id
FROM refused AS r
LEFT JOIN let_in AS l ON l.device_id = r.device_id AND l.identity_id = r.identity_id
    AND l.peer_ip IS NOT DISTINCT FROM r.peer_ip AND l.day = r.day
GROUP BY r.device_id, r.identity_id, r.scope, r.peer_ip, r.day
HAVING sum(r.n) >= 5 AND coalesce(max(l.last_ts) < max(r.last_ts), TRUE)
