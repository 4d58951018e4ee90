/*
id: TLS-003
title: Connection protected by a broken or empty cipher
severity: high
confidence: certain
why: >-
  The cipher suite that both sides agreed on encrypts nothing, proves nobody, or can be broken with ordinary means
  (export ciphers, RC4, DES and 3DES, MD5). The connection looks protected and is not.
remedy: >-
  Remove these suites from the server's configuration and leave AES-GCM or ChaCha20-Poly1305 with ECDHE. A device
  that then cannot connect needs an update.
references:
  - RFC 7465 (RC4)
  - RFC 9325 4.1
  - NIST SP 800-52r2
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [327, 326]
  attack: [T1557]
  hipaa: ["164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: no encryption
      rows:
        - channel: {cipher: TLS_RSA_WITH_NULL_SHA256, encrypted: false}
      severity: critical
    - what: nobody is authenticated
      rows:
        - channel: {cipher: TLS_DH_anon_WITH_AES_128_GCM_SHA256}
      severity: critical
    - what: 3DES
      rows:
        - channel: {cipher: TLS_RSA_WITH_3DES_EDE_CBC_SHA}
      severity: high
    - what: recorded, anonymous ECDH
      capture: pcaps/tls/tls12_anon_ecdh.pcap
    - what: recorded, an export cipher
      capture: pcaps/tls/tls10_export.pcap
  silent:
    - what: AES-GCM
      rows:
        - channel: {cipher: TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
    - what: integrity-only suites are not meant here when the name only resembles them
      rows:
        - channel: {cipher: TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
    - what: recorded, ChaCha20
      capture: pcaps/tls/tls12_chacha.pcap
*/
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    cipher || ' on ' || transport || '/' || port AS subject,
    CASE WHEN NOT encrypted OR regexp_matches(cipher, '_NULL_|EXPORT|_anon_') THEN 'critical' ELSE 'high' END AS severity,
    version, cipher, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_channel
WHERE protocol IN ('tls', 'dtls')
    AND (NOT encrypted OR regexp_matches(cipher, '_NULL_|EXPORT|_anon_|RC4|_DES_|_DES40_|3DES|_RC2_|_MD5$'))
    AND device_id IS NOT NULL
    AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
