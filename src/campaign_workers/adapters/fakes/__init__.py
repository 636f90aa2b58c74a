"""Fakes of other teams' services and databases: the same rules, over keyed tables."""
