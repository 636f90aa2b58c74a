CREATE OR REPLACE VIEW "distinct_codereserve" AS
SELECT "type", "created", "dedupekey", "campaignid", "marketid", "reserveid", "codes"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "codereserve"
)
WHERE "copy" = 1
