CREATE OR REPLACE VIEW "distinct_scoring" AS
SELECT "type", "created", "dedupekey", "campaignid", "globaluserid", "memberid", "userid", "email", "phone", "phonetype", "score", "band", "bandscore", "rank", "verdict", "tags", "marketids", "source"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "scoring"
)
WHERE "copy" = 1
