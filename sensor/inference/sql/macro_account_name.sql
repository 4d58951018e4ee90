-- An account's bare name: user@domain without a stated realm is the user (MS-ADTS 5.1.1.1.1).
CREATE OR REPLACE TEMP MACRO account_name(principal, realm) AS
    CASE WHEN coalesce(realm, '') = '' AND principal LIKE '_%@_%' THEN regexp_replace(principal, '@[^@]*$', '') ELSE principal END
