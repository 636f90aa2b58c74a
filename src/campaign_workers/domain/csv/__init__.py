"""CSV and TSV files, read and written as rows or as frames."""
