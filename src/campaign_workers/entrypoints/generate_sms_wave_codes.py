"""Lambda handler of generateSmsWaveCodes."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("generateSmsWaveCodes")
