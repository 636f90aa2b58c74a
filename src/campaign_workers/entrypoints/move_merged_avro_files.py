"""Lambda handler of moveMergedAvroFiles."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("moveMergedAvroFiles")
