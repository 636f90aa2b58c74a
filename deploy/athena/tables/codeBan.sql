CREATE EXTERNAL TABLE IF NOT EXISTS `codeban` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `code` string,
  `reason` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "codeBan", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "code", "type": "string"}, {"name": "reason", "type": ["null", "string"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/codeBan/'
