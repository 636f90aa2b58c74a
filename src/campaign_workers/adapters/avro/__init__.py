"""The lake's Avro files: schemas, encoding, and merging block by block."""
