-- Step 3 of 3: what step 1 made of them (`incoming` is its result now).
INSERT INTO binding BY NAME SELECT * FROM incoming
