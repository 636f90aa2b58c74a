CREATE OR REPLACE VIEW "distinct_registration" AS
SELECT "type", "created", "dedupekey", "campaignid", "userid", "globaluserid", "memberid", "email", "phone", "firstname", "lastname", "locale", "marketids", "optinemail", "optinsms", "phoneconfirmed", "referrercode", "score", "updated"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "registration"
)
WHERE "copy" = 1
