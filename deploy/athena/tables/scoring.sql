CREATE EXTERNAL TABLE IF NOT EXISTS `scoring` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `globaluserid` string,
  `memberid` string,
  `userid` string,
  `email` string,
  `phone` string,
  `phonetype` string,
  `score` double,
  `band` string,
  `bandscore` double,
  `rank` bigint,
  `verdict` int,
  `tags` array<string>,
  `marketids` array<string>,
  `source` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "scoring", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "globalUserId", "type": ["null", "string"], "default": null}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "userId", "type": ["null", "string"], "default": null}, {"name": "email", "type": ["null", "string"], "default": null}, {"name": "phone", "type": ["null", "string"], "default": null}, {"name": "phoneType", "type": ["null", "string"], "default": null}, {"name": "score", "type": ["null", "double"], "default": null}, {"name": "band", "type": ["null", "string"], "default": null}, {"name": "bandScore", "type": ["null", "double"], "default": null}, {"name": "rank", "type": ["null", "long"], "default": null}, {"name": "verdict", "type": "int"}, {"name": "tags", "type": {"type": "array", "items": "string"}}, {"name": "marketIds", "type": {"type": "array", "items": "string"}}, {"name": "source", "type": "string"}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/scoring/'
