"""SecantusDB as a process of its own: it says where it listens, and ends when its input does.

It speaks MongoDB's protocol. Documents are found by an `_id` that is itself a document only by
reading the whole collection, so tests insert such documents in batches and never look one up.
"""

import sys

from secantus.server import SecantusDBServer


def main() -> None:
    """Serve on a free port of loopback, from an empty folder that is gone afterwards."""
    server = SecantusDBServer(host="127.0.0.1", port=0, storage_path=":memory:")
    server.start()
    print(server.uri, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
