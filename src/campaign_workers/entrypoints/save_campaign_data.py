"""Lambda handler of saveCampaignData."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("saveCampaignData")
