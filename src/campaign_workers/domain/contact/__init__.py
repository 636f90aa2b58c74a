"""Phone numbers and e-mail addresses, one at a time and in whole columns."""
