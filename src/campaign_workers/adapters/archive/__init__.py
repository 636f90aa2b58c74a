"""The `ZipWriter` port: archives written as a stream."""
