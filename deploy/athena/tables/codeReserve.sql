CREATE EXTERNAL TABLE IF NOT EXISTS `codereserve` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `marketid` string,
  `reserveid` string,
  `codes` array<string>
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "codeReserve", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "marketId", "type": ["null", "string"], "default": null}, {"name": "reserveId", "type": "string"}, {"name": "codes", "type": {"type": "array", "items": "string"}}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/codeReserve/'
