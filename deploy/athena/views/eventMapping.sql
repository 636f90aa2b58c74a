CREATE OR REPLACE VIEW "distinct_eventmapping" AS
SELECT "type", "created", "dedupekey", "campaignid", "marketid", "eventids"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "eventmapping"
)
WHERE "copy" = 1
