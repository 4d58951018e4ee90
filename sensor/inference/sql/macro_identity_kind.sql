-- The kind of identity that a mechanism claims: several mechanisms can prove the same account.
CREATE OR REPLACE TEMP MACRO identity_kind(mechanism) AS
    CASE mechanism
        WHEN 'tls-client-certificate' THEN 'certificate-key'
        WHEN 'tls-psk' THEN 'psk'
        WHEN 'dicom-username-passcode' THEN 'dicom-username'
        ELSE mechanism
    END
