"""Preparation of wave files for the markets of a campaign."""
