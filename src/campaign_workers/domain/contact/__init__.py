"""Phones and e-mail addresses, one by one and as whole columns."""
