/*
id: SMB-003
title: File server lets callers in as guests
severity: high
confidence: certain
why: >-
  The server did not check the caller's password and gave it a guest's session. Whoever is on the network gets what
  guests get, a session that cannot be signed, and nobody can say afterwards who it was.
remedy: >-
  Disable the guest account and guest access on the server ("map to guest = never"), and give the device that relies on
  it an account of its own.
references:
  - MS-SMB2 2.2.6 (SessionFlags)
  - MS-CIFS 2.2.4.53.2 (Action)
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025", "NHI5:2025"]
  nist_csf: [PR.AA-03]
  cwe: [287, 1391]
  attack: [T1078.001]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.1]
  fda: [AuthN]
cases:
  fire:
    - what: an unknown account becomes a guest
      rows:
        - {authentication: {mechanism: ntlm, principal: nobody1, realm: WARD, version: NTLMv2, guest: true, status: STATUS_SUCCESS}, protocol: smb, port: 445}
      count: 1
    - what: by plaintext password, as another device
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: ct, secret_class: other, guest: true}, protocol: smb, port: 139, from: 10.0.0.12}
      count: 1
    - what: recorded, an unknown account becomes a guest
      capture: pcaps/smb/guest.pcap
    - what: recorded, a wrong password makes a guest
      capture: pcaps/smb/guest_wrong_password.pcap
    - what: recorded, SMB 1
      capture: pcaps/smb/guest_smb1.pcap
  silent:
    - what: an account of its own
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2, status: STATUS_SUCCESS}, protocol: smb, port: 445}
    - what: the account named Guest was refused
      rows:
        - {authentication: {mechanism: ntlm, principal: Guest, version: NTLMv2, outcome: rejected, status: STATUS_ACCOUNT_DISABLED}, protocol: smb, port: 445}
    - what: a null session is no guest's
      rows:
        - {authentication: {mechanism: ntlm, version: anonymous, "null": true}, protocol: smb, port: 445}
    - what: recorded, Samba as it comes
      capture: pcaps/smb/smb311_ntlmv2.pcap
    - what: recorded, an unknown account is refused
      capture: pcaps/smb/unknown_user.pcap
    - what: recorded, anonymous, which is no guest
      capture: pcaps/smb/anonymous_share.pcap
*/
SELECT peer_id AS device_id, NULL AS identity_id, scope, peer_mac AS mac, peer_ip AS ip, port,
    'guest sessions on ' || transport || '/' || port AS subject,
    mechanism, principal AS asked_as, realm, ip AS peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_authentication
WHERE json_extract_string(details, '$.guest') = 'true' AND outcome = 'accepted' AND peer_id IS NOT NULL
