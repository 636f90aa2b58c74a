CREATE OR REPLACE VIEW "distinct_codeassignment" AS
SELECT "type", "created", "dedupekey", "campaignid", "categoryid", "globaluserid", "userid", "memberid", "marketid", "code"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "codeassignment"
)
WHERE "copy" = 1
