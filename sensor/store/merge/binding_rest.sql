-- Step 4 of 4: of all other addresses there is one interval, which is new.
INSERT INTO binding BY NAME
SELECT i.* FROM incoming AS i
ANTI JOIN several AS s ON i.scope = s.scope AND i.ip = s.ip
