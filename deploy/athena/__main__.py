"""Regenerate the statements: `python -m deploy.athena`."""

from deploy.athena.statements import statements

if __name__ == "__main__":
    for path, text in statements():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
