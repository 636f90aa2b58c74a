"""CSV and TSV files: cells, rows, and whole columns."""
