-- The realm that was stated with an account, be it behind its name (user@domain).
CREATE OR REPLACE TEMP MACRO stated_realm(principal, realm) AS
    CASE WHEN coalesce(realm, '') = '' AND principal LIKE '_%@_%' THEN regexp_extract(principal, '@([^@]*)$', 1) ELSE realm END
