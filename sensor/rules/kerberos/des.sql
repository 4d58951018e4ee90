/*
id: KRB-002
title: Kerberos with DES
severity: high
confidence: certain
why: >-
  The ticket, or the proof that goes with it, is encrypted with DES. A key of 56 bits is found within a day by anyone who
  pays for the computing time, and then tickets for that service can be made at will.
remedy: >-
  Give the service's account AES keys and clear "use DES encryption types" on it; switch DES off in the domain. A device
  that cannot do better needs an update, or a server of its own in a segment of its own.
references:
  - RFC 6649 (DES is deprecated in Kerberos)
  - MS-KILE 3.1.5.2
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [327, 326]
  attack: [T1558]
  hipaa: ["164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: a ticket under DES
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: des-cbc-md5, authenticator_etype: des-cbc-md5}, protocol: smb, port: 445}
      count: 1
    - what: only the proof is under DES
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: aes256-cts-hmac-sha1-96, authenticator_etype: des-cbc-crc}, protocol: smb, port: 445}
      count: 1
  silent:
    - what: AES
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: aes128-cts-hmac-sha1-96}, protocol: smb, port: 445}
    - what: triple DES is another finding
      rows:
        - {authentication: {mechanism: kerberos, realm: WARD.EXAMPLE, service: cifs/fs1.ward.example, ticket_etype: des3-cbc-sha1}, protocol: smb, port: 445}
    - what: recorded, RC4 is another finding
      capture: pcaps/smb/kerberos_rc4.pcap
    - what: recorded, AES256
      capture: pcaps/smb/kerberos_aes256.pcap
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
WHERE (ticket_etype LIKE 'des-cbc-%' OR ticket_etype = 'des3-cbc-md5') AND peer_id IS NOT NULL
UNION ALL
SELECT device_id, NULL, scope, mac, ip, NULL, authenticator_etype || ' authenticator',
    realm, kvno, ticket_etype, authenticator_etype, outcome, peer_ip, port,
    first_ts, last_ts, capture, frame, community_id
FROM tickets
WHERE (authenticator_etype LIKE 'des-cbc-%' OR authenticator_etype = 'des3-cbc-md5')
    AND ticket_etype IS DISTINCT FROM authenticator_etype AND device_id IS NOT NULL
