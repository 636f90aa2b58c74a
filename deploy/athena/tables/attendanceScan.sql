CREATE EXTERNAL TABLE IF NOT EXISTS `attendancescan` (
  `type` string,
  `created` timestamp,
  `dedupekey` string,
  `eventid` string,
  `ticketid` string,
  `memberid` string,
  `scannedat` string,
  `gate` string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{"type": "record", "name": "attendanceScan", "namespace": "campaign", "fields": [{"name": "type", "type": "string"}, {"name": "created", "type": {"type": "long", "logicalType": "timestamp-millis"}}, {"name": "dedupeKey", "type": "string"}, {"name": "eventId", "type": "string"}, {"name": "ticketId", "type": "string"}, {"name": "memberId", "type": ["null", "string"], "default": null}, {"name": "scannedAt", "type": "string"}, {"name": "gate", "type": ["null", "string"], "default": null}]}')
STORED AS AVRO
LOCATION 's3://${bucket}/avro/attendanceScan/'
