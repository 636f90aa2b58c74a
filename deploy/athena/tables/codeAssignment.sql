CREATE EXTERNAL TABLE IF NOT EXISTS `codeassignment` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `categoryid` bigint,
  `globaluserid` string,
  `userid` string,
  `memberid` string,
  `marketid` string,
  `code` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "codeAssignment", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": ["null", "string"], "default": null}, {"name": "categoryId", "type": ["null", "long"], "default": null}, {"name": "globalUserId", "type": "string"}, {"name": "userId", "type": ["null", "string"], "default": null}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "marketId", "type": ["null", "string"], "default": null}, {"name": "code", "type": "string"}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/codeAssignment/'
