/*
id: CERT-005
title: Certificate with a weak key
severity: medium
confidence: certain
why: >-
  The key in the certificate is so small, or built in such a way, that the private key can be computed from it. Who
  does that can pass for the device.
remedy: >-
  Make a new key: RSA with 2048 bits or more, or an elliptic curve of 256 bits; then have the certificate issued
  anew.
references:
  - NIST SP 800-57 part 1 5.6
  - NIST SP 800-131A
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.DS-02]
  cwe: [326]
  attack: [T1600]
  hipaa: ["164.312(e)(2)(ii)"]
  iec_62443: [CR 1.9]
  fda: [Crypto]
cases:
  fire:
    - what: RSA with 1024 bits
      rows:
        - certificate: {key_bits: 1024}
      severity: medium
      count: 1
    - what: RSA with 512 bits
      rows:
        - certificate: {key_bits: 512}
      severity: high
    - what: a curve of 192 bits
      rows:
        - certificate: {key_type: EC, key_bits: 192}
      severity: medium
    - what: RSA with the exponent 3
      rows:
        - certificate: {rsa_exponent: 3}
    - what: recorded, RSA with 1024 bits
      capture: pcaps/tls/cert_rsa1024.pcap
  silent:
    - what: RSA with 2048 bits
      rows:
        - certificate: {key_bits: 2048, rsa_exponent: 65537}
    - what: a curve of 256 bits
      rows:
        - certificate: {key_type: EC, key_bits: 256}
    - what: Ed25519
      rows:
        - certificate: {key_type: Ed25519, key_bits: 256}
    - what: recorded, a curve of 256 bits
      capture: pcaps/tls/cert_p256.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    CASE WHEN key_type IN ('RSA', 'DSA', 'DH') AND key_bits < 1024 THEN 'high'
        WHEN json_extract_string(details, '$.rsa_exponent') = '1' THEN 'high' ELSE 'medium' END AS severity,
    role, subject_name, issuer, serial, sha256, key_type, key_bits,
    json_extract_string(details, '$.rsa_exponent') AS rsa_exponent, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE device_id IS NOT NULL
    AND ((key_type IN ('RSA', 'DSA', 'DH') AND key_bits < 2048)
        OR (key_type = 'EC' AND key_bits < 224)
        OR json_extract_string(details, '$.rsa_exponent') IN ('1', '3'))
