"""Object store on Amazon S3."""
