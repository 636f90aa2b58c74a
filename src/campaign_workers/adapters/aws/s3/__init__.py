"""The `ObjectStore` port on Amazon S3."""
