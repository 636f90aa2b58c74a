"""Fakes of other teams' services and databases, with the same rules, over keyed tables."""
