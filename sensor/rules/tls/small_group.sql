/*
id: TLS-005
title: Key exchange with a group that is too small
severity: medium
confidence: certain
why: >-
  The numbers that both sides agree their key with are so small that a well-equipped attacker can compute the key
  from recorded traffic.
remedy: >-
  Make new Diffie-Hellman parameters of at least 2048 bits on the server, or use the curves X25519 or secp256r1.
references:
  - RFC 9325 4.4
  - NIST SP 800-52r2 3.4
resolves: {seen: channel}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [326]
  attack: [T1557]
  hipaa: ["164.312(e)(2)(ii)"]
  iec_62443: [CR 4.3, CR 1.14]
  fda: [Crypto]
cases:
  fire:
    - what: Diffie-Hellman with 1024 bits
      rows:
        - channel: {cipher: TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, key_exchange: DHE, group_bits: 1024}
      count: 1
    - what: a curve of 192 bits
      rows:
        - channel: {cipher: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, key_exchange: ECDHE, group: secp192r1, group_bits: 192}
    - what: recorded, 1024 bits
      capture: pcaps/tls/tls12_dhe1024.pcap
  silent:
    - what: Diffie-Hellman with 2048 bits
      rows:
        - channel: {cipher: TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, key_exchange: DHE, group_bits: 2048}
    - what: a curve of 256 bits
      rows:
        - channel: {key_exchange: ECDHE, group: secp256r1, group_bits: 256}
    - what: recorded, 2048 bits
      capture: pcaps/tls/tls12_dhe2048.pcap
*/
WITH agreed AS (
    SELECT *, CAST(json_extract_string(details, '$.group_bits') AS INTEGER) AS group_bits,
        json_extract_string(details, '$.key_exchange') AS key_exchange,
        json_extract_string(details, '$.group') AS key_group
    FROM seen_channel
    WHERE protocol IN ('tls', 'dtls') AND device_id IS NOT NULL
        AND json_extract_string(details, '$.completed') IS DISTINCT FROM 'false'
)
SELECT device_id, NULL AS identity_id, scope, mac, ip, port,
    coalesce(key_group, key_exchange) || ' of ' || group_bits || ' bits on ' || transport || '/' || port AS subject,
    version, cipher, key_exchange, key_group, group_bits, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM agreed
WHERE (key_exchange LIKE 'DH%' AND group_bits < 2048) OR (key_exchange LIKE 'ECDH%' AND group_bits < 224)
