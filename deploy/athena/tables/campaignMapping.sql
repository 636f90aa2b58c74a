CREATE EXTERNAL TABLE IF NOT EXISTS `campaignmapping` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `categoryid` bigint,
  `name` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "campaignMapping", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "categoryId", "type": "long"}, {"name": "name", "type": ["null", "string"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/campaignMapping/'
