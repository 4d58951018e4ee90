/*
id: KRB-001
title: Kerberos with RC4 or triple DES
severity: medium
confidence: certain
why: >-
  The ticket, or the proof that goes with it, is encrypted with a cipher that was withdrawn. An RC4 ticket is made with
  the password hash of the service's account: whoever records one can guess a weak password at leisure, and then make
  tickets for that service himself.
remedy: >-
  Let the service's account have AES keys (set its encryption types, change its password once), and switch RC4 off in the
  domain when no device needs it any more. Where only the proof is weak, the device's own software is too old for AES.
references:
  - RFC 8429 (3DES and RC4 are deprecated in Kerberos)
  - MS-KILE 3.1.5.2
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [327]
  attack: [T1558.003]
  hipaa: ["164.312(d)", "164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: a ticket under RC4
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: rc4-hmac, authenticator_etype: rc4-hmac}, protocol: smb, port: 445}
      count: 1
    - what: only the proof is under RC4, so it is about the device that sent it
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: aes256-cts-hmac-sha1-96, authenticator_etype: rc4-hmac}, protocol: smb, port: 445}
      count: 1
    - what: triple DES
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: des3-cbc-sha1, outcome: unknown}, protocol: smb, port: 445}
      count: 1
    - what: recorded, a server that has RC4 keys only
      capture: pcaps/smb/kerberos_rc4.pcap
      severity: medium
  silent:
    - what: AES in both
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: aes256-cts-hmac-sha1-96, authenticator_etype: aes256-cts-hmac-sha1-96}, protocol: smb, port: 445}
    - what: DES is another finding
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: des-cbc-md5}, protocol: smb, port: 445}
    - what: the cipher was not read
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example}, protocol: smb, port: 445}
    - what: recorded, AES256
      capture: pcaps/smb/kerberos_aes256.pcap
    - what: recorded, AES128
      capture: pcaps/smb/kerberos_aes128.pcap
*/
WITH tickets AS (
    SELECT *, json_extract_string(details, '$.service') AS service, json_extract_string(details, '$.kvno') AS kvno,
        json_extract_string(details, '$.ticket_etype') AS ticket_etype,
        json_extract_string(details, '$.authenticator_etype') AS authenticator_etype
    FROM seen_authentication
    WHERE mechanism = 'kerberos'
)
SELECT peer_id AS device_id, NULL AS identity_id, scope, peer_mac AS mac, peer_ip AS ip, port,
    ticket_etype || ' ticket for ' || coalesce(lower(service), 'an unnamed service') AS subject,
    realm, kvno, ticket_etype, authenticator_etype, outcome, ip AS peer_ip, NULL AS peer_port,
    first_ts, last_ts, capture, frame, community_id
FROM tickets
WHERE (ticket_etype LIKE 'rc4-%' OR ticket_etype LIKE 'des3-cbc-sha1%') AND peer_id IS NOT NULL
UNION ALL
SELECT device_id, NULL, scope, mac, ip, NULL, authenticator_etype || ' authenticator',
    realm, kvno, ticket_etype, authenticator_etype, outcome, peer_ip, port,
    first_ts, last_ts, capture, frame, community_id
FROM tickets
WHERE (authenticator_etype LIKE 'rc4-%' OR authenticator_etype LIKE 'des3-cbc-sha1%')
    AND ticket_etype IS DISTINCT FROM authenticator_etype AND device_id IS NOT NULL
