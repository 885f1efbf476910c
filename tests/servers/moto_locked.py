"""moto's S3 server with one lock round its put: ``python moto_locked.py PORT``.

moto checks first and writes then, so that two threads may both win a conditional put; with the lock one does.
Started by ``moto_server``, never imported.
"""

import sys
import threading
from typing import Any

from moto.s3.responses import S3Response
from moto.server import main


def serve(port: int) -> None:
    """Answer on loopback until the process is ended."""
    put_object, one_at_a_time = S3Response.put_object, threading.RLock()

    def locked_put_object(response: S3Response) -> Any:
        with one_at_a_time:
            return put_object(response)

    S3Response.put_object = locked_put_object  # type: ignore[assignment, method-assign]
    main(["-H", "127.0.0.1", "-p", str(port)])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
