CREATE EXTERNAL TABLE IF NOT EXISTS `eventmapping` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `marketid` string,
  `eventids` array<string>
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "eventMapping", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "marketId", "type": "string"}, {"name": "eventIds", "type": {"type": "array", "items": "string"}}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/eventMapping/'
