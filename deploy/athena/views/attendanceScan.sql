CREATE OR REPLACE VIEW "distinct_attendancescan" AS
SELECT "type", "created", "dedupekey", "eventid", "ticketid", "memberid", "scannedat", "gate"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "attendancescan"
)
WHERE "copy" = 1
