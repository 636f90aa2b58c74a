"""What runs the product on AWS: the template, and the zips of its functions."""
