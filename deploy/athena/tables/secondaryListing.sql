CREATE EXTERNAL TABLE IF NOT EXISTS `secondarylisting` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `eventid` string,
  `listingid` string,
  `memberid` string,
  `quantity` bigint,
  `price` double,
  `currency` string,
  `section` string,
  `row` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "secondaryListing", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "eventId", "type": "string"}, {"name": "listingId", "type": "string"}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "quantity", "type": "long"}, {"name": "price", "type": ["null", "double"], "default": null}, {"name": "currency", "type": ["null", "string"], "default": null}, {"name": "section", "type": ["null", "string"], "default": null}, {"name": "row", "type": ["null", "string"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/secondaryListing/'
