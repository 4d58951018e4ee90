-- The kind of identity that a mechanism claims: several mechanisms can prove the same account.
CREATE OR REPLACE TEMP MACRO identity_kind(mechanism) AS
    CASE mechanism
        WHEN 'tls-client-certificate' THEN 'certificate-key'
        WHEN 'tls-psk' THEN 'psk'
        WHEN 'dicom-username-passcode' THEN 'dicom-username'
        WHEN 'ntlm' THEN 'account'
        WHEN 'smb-plaintext' THEN 'account'
        WHEN 'hl7-security' THEN 'hl7-application'
        WHEN 'kerberos' THEN 'service-principal'
        ELSE mechanism
    END
