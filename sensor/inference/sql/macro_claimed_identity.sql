-- The id of the identity that an authentication claims. Accounts are the same in any case of letters (MS-NLMP 3.3.2),
-- and a name with its domain (user@domain) is the same as the name in that domain. NULL: nobody in particular.
CREATE OR REPLACE TEMP MACRO claimed_identity(mechanism, scope, realm, principal, details) AS
    CASE
        WHEN mechanism = 'kerberos' OR principal IS NULL THEN NULL
        WHEN identity_kind(mechanism) = 'account'
        THEN identity_id('account', scope, account_realm(stated_realm(principal, realm), details), lower(account_name(principal, realm)))
        ELSE identity_id(identity_kind(mechanism), scope, realm, principal)
    END
