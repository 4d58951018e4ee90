/*
id: TLS-004
title: Recorded traffic can be decrypted later (static RSA)
severity: low
confidence: certain
why: >-
  The session key is sent encrypted with the server's long-lived key. Whoever records the traffic now and gets that
  key later, from a sold device for instance, reads everything that was recorded.
remedy: >-
  Enable suites that begin with TLS_ECDHE and put them first, or enable TLS 1.3. Where the same key is also used by
  other devices (CERT-008), do that first.
references:
  - RFC 9325 4.1
  - RFC 8446 1.2
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI7:2025"]
  nist_csf: [PR.DS-02]
  cwe: [326]
  attack: [T1040]
  hipaa: ["164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: static RSA
      rows:
        - channel: {cipher: TLS_RSA_WITH_AES_256_GCM_SHA384, key_exchange: RSA, completed: true}
      count: 1
    - what: recorded, static RSA
      capture: pcaps/tls/tls12_rsa.pcap
  silent:
    - what: ECDHE, signed with RSA
      rows:
        - channel: {cipher: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, key_exchange: ECDHE}
    - what: recorded, ECDHE
      capture: pcaps/tls/tls12_ecdhe.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    'static RSA on ' || transport || '/' || port AS subject,
    version, cipher, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE protocol IN ('tls', 'dtls')
    AND (cipher LIKE 'TLS_RSA_WITH_%' OR cipher LIKE 'TLS_RSA_PSK_%' OR cipher LIKE 'TLS_RSA_EXPORT%')
    AND device_id IS NOT NULL
    AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
