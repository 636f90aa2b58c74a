CREATE EXTERNAL TABLE IF NOT EXISTS `fanlistentry` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `fanlistid` string,
  `campaignid` string,
  `globaluserid` string,
  `memberid` string,
  `email` string,
  `rank` bigint,
  `score` double
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "fanlistEntry", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "fanlistId", "type": "string"}, {"name": "campaignId", "type": ["null", "string"], "default": null}, {"name": "globalUserId", "type": ["null", "string"], "default": null}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "email", "type": ["null", "string"], "default": null}, {"name": "rank", "type": ["null", "long"], "default": null}, {"name": "score", "type": ["null", "double"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/fanlistEntry/'
