"""Lambda handler of smsWaveSend."""

from campaign_workers.entrypoints.handlers import lambda_handler

handler = lambda_handler("smsWaveSend")
