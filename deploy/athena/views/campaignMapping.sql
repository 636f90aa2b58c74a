CREATE OR REPLACE VIEW "distinct_campaignmapping" AS
SELECT "type", "created", "dedupekey", "campaignid", "categoryid", "name"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "campaignmapping"
)
WHERE "copy" = 1
