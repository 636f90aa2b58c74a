"""Lambda handler of loadCodeAssignmentsToStream."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("loadCodeAssignmentsToStream")
