CREATE OR REPLACE VIEW "distinct_fanlistentry" AS
SELECT "type", "created", "dedupekey", "fanlistid", "campaignid", "globaluserid", "memberid", "email", "rank", "score"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "fanlistentry"
)
WHERE "copy" = 1
