/*
id: NTLM-004
title: NTLM session with weak keys
severity: low
confidence: certain
why: >-
  Both sides agreed to protect the session with a key of 40 or 56 bits, or without extended session security. Such keys
  are found by trying. No maintained system asks for them.
remedy: >-
  Update the device's SMB client, and require NTLMv2 session security and 128-bit encryption on both sides.
references:
  - MS-NLMP 2.2.2.5 (NEGOTIATE flags)
  - MS-NLMP 3.4.5
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [326]
  attack: [T1557.001]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: no key of 128 bits
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, weak_flags: [no-128]}, protocol: smb, port: 445}
      count: 1
    - what: neither 128 bits nor extended session security
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv1, weak_flags: [no-128, no-ess]}, protocol: smb, port: 139}
      count: 1
    - what: recorded, without extended session security
      capture: pcaps/smb/ntlmv1_plain.pcap
  silent:
    - what: nothing weak was agreed
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: an empty list
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, weak_flags: []}, protocol: smb, port: 445}
    - what: an anonymous session has no key worth finding
      rows:
        - {authentication: {mechanism: ntlm, version: anonymous, "null": true, weak_flags: [no-128]}, protocol: smb, port: 445}
    - what: recorded, with it
      capture: pcaps/smb/ntlmv1.pcap
    - what: recorded, NTLMv2
      capture: pcaps/smb/smb311_ntlmv2.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, NULL AS port, 'weak NTLM session' AS subject,
    json_extract(details, '$.weak_flags')::VARCHAR[] AS weak_flags, principal, realm,
    json_extract_string(details, '$.version') AS version, outcome, peer_ip, port AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE mechanism = 'ntlm' AND json_array_length(details, '$.weak_flags') > 0 AND identity_id IS NOT NULL AND device_id IS NOT NULL
