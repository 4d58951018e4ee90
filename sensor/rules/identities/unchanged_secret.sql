/*
id: ID-003
title: Secret has not been changed for more than a year
severity: medium
confidence: certain
why: >-
  The same password or token has been seen for more than a year. Everybody who knew it in that time may still use it:
  technicians who left, makers whose contract ended, and whoever recorded one logon. It may be older than the sensor.
remedy: >-
  Change it, on the device and at the service together, and note who has to do so again and when. Where nobody dares to,
  replace it by a certificate, which ends by itself.
references:
  - NIST SP 800-53r5 IA-5 (authenticator management)
  - IEC 62443-4-2 CR 1.5
resolves: {seen: authentication}
mappings:
  owasp_nhi: ["NHI7:2025"]
  nist_csf: [PR.AA-01, ID.AM-08]
  cwe: [262, 324]
  attack: [T1078]
  hipaa: ["164.312(d)"]
  iec_62443: [CR 1.5]
  fda: [AuthN]
cases:
  fire:
    - what: one passcode for four hundred days
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, secret_principal_digest: bb22, key_epoch: 1}, protocol: dicom, port: 104, at: -400d}
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, secret_principal_digest: bb22, key_epoch: 1}, protocol: dicom, port: 104}
      count: 1
    - what: a share's password, which is nobody's in particular
      rows:
        - {authentication: {mechanism: smb-share-password, share: DOSE, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139, at: -400d}
        - {authentication: {mechanism: smb-share-password, share: DOSE, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
      count: 1
  silent:
    - what: changed within the year
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104, at: -400d}
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: cc33, key_epoch: 1}, protocol: dicom, port: 104, at: -200d}
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: cc33, key_epoch: 1}, protocol: dicom, port: 104}
    - what: seen for eleven months
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104, at: -335d}
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104}
    - what: the site key was rotated, so nothing can be compared
      rows:
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: dicom, port: 104, at: -400d}
        - {authentication: {mechanism: dicom-username-passcode, principal: ct, secret_class: other, secret_digest: aa11, key_epoch: 2}, protocol: dicom, port: 104}
    - what: a challenge's response shows no secret
      rows:
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445, at: -400d}
        - {authentication: {mechanism: ntlm, principal: ct, realm: WARD, version: NTLMv2}, protocol: smb, port: 445}
    - what: refused all the time, so it is not the secret
      rows:
        - {authentication: {mechanism: smb-plaintext, principal: ct, outcome: rejected, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139, at: -400d}
        - {authentication: {mechanism: smb-plaintext, principal: ct, outcome: rejected, secret_class: other, secret_digest: aa11, key_epoch: 1}, protocol: smb, port: 139}
    - what: recorded, a capture of a minute says nothing about years
      capture: pcaps/dicom/user_identity_2.pcap
*/
SELECT CASE WHEN identity_id IS NULL THEN device_id END AS device_id, identity_id, min(scope) AS scope,
    arg_max(mac, (last_ts, frame)) AS mac, arg_max(ip, (last_ts, frame)) AS ip, NULL AS port,
    CASE WHEN identity_id IS NULL THEN 'secret without a name (' || mechanism || ')' ELSE 'secret of ' || lower(min(principal)) END AS subject,
    mechanism, min(secret_class) AS secret_class, min(secret_length) AS secret_length,
    date_diff('day', min(first_ts), max(last_ts)) AS days_unchanged, count(DISTINCT device_id) AS device_count,
    arg_max(peer_ip, (last_ts, frame)) AS peer_ip, min(first_ts) AS first_ts, max(last_ts) AS last_ts,
    arg_min(capture, (first_ts, frame)) AS capture, arg_min(frame, (first_ts, frame)) AS frame,
    arg_min(community_id, (first_ts, frame)) AS community_id
FROM seen_authentication
WHERE secret_digest IS NOT NULL AND outcome <> 'rejected' AND device_id IS NOT NULL
GROUP BY identity_id, CASE WHEN identity_id IS NULL THEN device_id END, mechanism, secret_digest, key_epoch
HAVING max(last_ts) - min(first_ts) > INTERVAL 365 DAY
