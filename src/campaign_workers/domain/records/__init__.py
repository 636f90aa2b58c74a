"""Records of the streams and of the lake."""
