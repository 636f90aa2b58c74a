"""The lake's files: Avro schemas, containers, and merging without decoding."""
