CREATE OR REPLACE VIEW "distinct_secondarylisting" AS
SELECT "type", "created", "dedupekey", "eventid", "listingid", "memberid", "quantity", "price", "currency", "section", "row"
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "secondarylisting"
)
WHERE "copy" = 1
