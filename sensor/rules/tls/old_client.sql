/*
id: TLS-002
title: Device offers no TLS version above 1.1
severity: medium
confidence: certain
why: >-
  The device opens encrypted connections but cannot speak TLS 1.2, which is from 2008. Its software is old, and
  every server that it talks to has to keep an outdated protocol switched on for it.
remedy: >-
  Update the device's software, or ask its maker when an update comes. Until then let it talk through a TLS proxy,
  so that servers can switch the old versions off.
references:
  - RFC 8996
  - RFC 8446 4.2.1 (supported_versions)
resolves: {seen: attribute}
mappings:
  owasp_nhi: ["NHI4:2025"]
  nist_csf: [PR.PS-02, ID.AM-08]
  cwe: [1104, 326]
  attack: [T1557]
  hipaa: ["164.312(e)(1)"]
  iec_62443: [CR 4.3]
  fda: [Crypto]
cases:
  fire:
    - what: highest offer is TLS 1.0
      rows:
        - attribute: {tls.max_version: TLS 1.0}
      count: 1
    - what: it offered TLS 1.2 nine days ago and only TLS 1.1 since
      rows:
        - attribute: {tls.max_version: TLS 1.2}
        - {attribute: {tls.max_version: TLS 1.1}, at: +9d}
    - what: recorded, a client that ends at TLS 1.0
      capture: pcaps/tls/tls10_rsa.pcap
  silent:
    - what: highest offer is TLS 1.3
      rows:
        - attribute: {tls.max_version: TLS 1.3}
    - what: another program on it offers TLS 1.2 in the same week
      rows:
        - attribute: {tls.max_version: TLS 1.0}
        - {attribute: {tls.max_version: TLS 1.2}, at: +2d}
*/
WITH offers AS (
    SELECT *, max(last_ts) OVER (PARTITION BY device_id) AS newest,
        coalesce(list_position(['SSL 2.0', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'DTLS 1.0'], value), 99) AS age_rank
    FROM seen_attribute
    WHERE name = 'tls.max_version' AND device_id IS NOT NULL AND about = 'side'
), judged AS (
    -- a client may retry with less: one higher offer in the last week clears it
    SELECT *, max(last_ts) FILTER (WHERE age_rank = 99) OVER (PARTITION BY device_id) AS newer_until
    FROM offers
)
SELECT device_id, NULL AS identity_id, scope, mac, ip, NULL AS port, 'TLS client' AS subject,
    value AS highest_offer, peer_ip, port AS peer_port, first_ts, last_ts, capture, frame, community_id
FROM judged
WHERE age_rank < 99 AND (newer_until IS NULL OR (newer_until <= newest - INTERVAL 7 DAY AND first_ts > newer_until))
