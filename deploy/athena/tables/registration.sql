CREATE EXTERNAL TABLE IF NOT EXISTS `registration` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `campaignid` string,
  `userid` string,
  `globaluserid` string,
  `memberid` string,
  `email` string,
  `phone` string,
  `firstname` string,
  `lastname` string,
  `locale` string,
  `marketids` array<string>,
  `optinemail` boolean,
  `optinsms` boolean,
  `phoneconfirmed` string,
  `referrercode` string,
  `score` double,
  `updated` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "registration", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "campaignId", "type": "string"}, {"name": "userId", "type": "string"}, {"name": "globalUserId", "type": ["null", "string"], "default": null}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "email", "type": "string"}, {"name": "phone", "type": ["null", "string"], "default": null}, {"name": "firstName", "type": ["null", "string"], "default": null}, {"name": "lastName", "type": ["null", "string"], "default": null}, {"name": "locale", "type": ["null", "string"], "default": null}, {"name": "marketIds", "type": {"type": "array", "items": "string"}}, {"name": "optInEmail", "type": "boolean"}, {"name": "optInSms", "type": "boolean"}, {"name": "phoneConfirmed", "type": ["null", "string"], "default": null}, {"name": "referrerCode", "type": ["null", "string"], "default": null}, {"name": "score", "type": ["null", "double"], "default": null}, {"name": "updated", "type": ["null", "string"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/registration/'
