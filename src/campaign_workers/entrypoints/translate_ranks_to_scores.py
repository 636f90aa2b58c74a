"""Lambda handler of translateRanksToScores."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("translateRanksToScores")
