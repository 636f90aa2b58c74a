"""Lambda handler of transformCodeAssignments."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("transformCodeAssignments")
