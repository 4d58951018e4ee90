-- Step 3 of 4: the intervals that step 2 has joined go; what it made of them is inserted (step 4).
DELETE FROM binding WHERE rowid IN (SELECT place FROM held)
