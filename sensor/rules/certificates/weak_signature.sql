/*
id: CERT-006
title: Certificate signed with a broken hash
severity: medium
confidence: certain
why: >-
  The authority signed the certificate with MD2, MD5 or SHA-1. Such signatures can be forged: somebody else can own
  a certificate in this device's name that passes the check.
remedy: >-
  Have the certificate issued anew with SHA-256, and look whether the authority that issued it does so for others,
  too.
references:
  - RFC 6151 (MD5)
  - NIST SP 800-131A (SHA-1)
  - RFC 9155
resolves: {seen: certificate}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.AA-03]
  cwe: [328, 327]
  attack: [T1649]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.8]
  fda: [Crypto]
cases:
  fire:
    - what: SHA-1
      rows:
        - certificate: {signature: sha1WithRSAEncryption}
      count: 1
    - what: ECDSA with SHA-1
      rows:
        - certificate: {signature: ecdsa-with-SHA1}
    - what: an authority's certificate below the root
      rows:
        - certificate: {role: ca, position: 1, signature: md5WithRSAEncryption}
    - what: recorded, SHA-1
      capture: pcaps/tls/cert_sha1.pcap
  silent:
    - what: SHA-256
      rows:
        - certificate: {signature: sha256WithRSAEncryption}
    - what: a root's own signature proves nothing anyway
      rows:
        - certificate: {role: ca, position: 1, signature: sha1WithRSAEncryption, self_signed: true}
    - what: recorded, RSA-PSS
      capture: pcaps/tls/cert_rsa_pss.pcap
*/
SELECT device_id, identity_id, scope, mac, ip, port,
    'certificate ' || left(sha256, 16) AS subject,
    role, subject_name, issuer, serial, sha256, signature, peer_ip, first_ts, last_ts, capture, frame, community_id
FROM seen_certificate
WHERE device_id IS NOT NULL AND self_signed IS DISTINCT FROM TRUE
    AND regexp_matches(lower(signature), '(^|[^a-z0-9])(md2|md5|sha-?1)([^0-9]|$)')
