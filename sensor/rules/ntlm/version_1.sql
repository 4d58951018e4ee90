/*
id: NTLM-001
title: Logon with LM or NTLM version 1
severity: high
confidence: certain
why: >-
  The device proves its password with a response that is built on DES. Whoever records one logon computes the password's
  hash from it within hours, whatever the password, and logs on as the device from then on. A response of NTLM2 session
  security is of the same family. It does not matter whether the server accepted it.
remedy: >-
  Let the device send NTLMv2 only (LmCompatibilityLevel 5) or Kerberos, after an update if need be, and let servers and
  domain controllers refuse the rest. Then change the account's password.
references:
  - MS-NLMP 3.3.1 (NTLM v1 authentication)
  - MS-NLMP 5.1
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [327, 916]
  attack: [T1110.002, T1557.001]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.7, CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: NTLMv1
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv1}, protocol: smb, port: 445}
      count: 1
    - what: with an LM response besides, and refused
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv1, lm_response: true, outcome: rejected, status: STATUS_LOGON_FAILURE}, protocol: smb, port: 139}
      count: 1
    - what: session security of NTLM2, which is not NTLMv2
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLM2 session}, protocol: smb, port: 445}
      count: 1
    - what: recorded, NTLMv1
      capture: pcaps/smb/ntlmv1_plain.pcap
    - what: recorded, NTLMv1 with extended session security
      capture: pcaps/smb/ntlmv1.pcap
    - what: recorded, refused by the server
      capture: pcaps/smb/ntlmv1_refused.pcap
    - what: recorded, LM alone
      capture: pcaps/smb/smb1_lanman1.pcap
  silent:
    - what: NTLMv2
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, mic: true}, protocol: smb, port: 445}
    - what: an anonymous caller proves nothing
      rows:
        - {authentication: {mechanism: ntlm, version: anonymous, "null": true}, protocol: smb, port: 445}
    - what: Kerberos
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, ticket_etype: aes256-cts-hmac-sha1-96}, protocol: smb, port: 445}
    - what: recorded, NTLMv2
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, NTLMv2 over SMB 1
      capture: pcaps/smb/smb1_ntlmv2.pcap
    - what: recorded, anonymous
      capture: pcaps/smb/anonymous_ipc.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, NULL AS port,
    json_extract_string(details, '$.version')
        || CASE WHEN json_extract_string(details, '$.lm_response') = 'true' AND json_extract_string(details, '$.version') <> 'LM'
            THEN ' with LM response' ELSE '' END AS subject,
    principal, realm, json_extract_string(details, '$.version') AS version,
    json_extract_string(details, '$.lm_response') = 'true' AS lm_response, outcome, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'ntlm' AND device_id IS NOT NULL
    AND (json_extract_string(details, '$.version') IN ('NTLMv1', 'NTLM2 session', 'LM')
        OR (json_extract_string(details, '$.lm_response') = 'true' AND json_extract_string(details, '$.version') IS NOT NULL))
