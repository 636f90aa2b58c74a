"""Stand-ins for services and databases, with their rules, over keyed tables."""
