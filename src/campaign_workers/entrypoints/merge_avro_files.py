"""Lambda handler of mergeAvroFiles."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("mergeAvroFiles")
