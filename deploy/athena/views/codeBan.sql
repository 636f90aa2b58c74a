CREATE OR REPLACE VIEW "distinct_codeban" AS
SELECT "type", "created", "dedupekey", "campaignid", "code", "reason"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "codeban"
)
WHERE "copy" = 1
