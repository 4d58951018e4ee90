DELETE FROM identity_use
