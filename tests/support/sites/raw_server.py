"""A server of bytes: what answers when a proxy, a portal or somebody hostile stands where the API should."""

import contextlib
import socket
import threading
from collections.abc import Generator


@contextlib.contextmanager
def speaking(
    says: bytes, heard: list[bytes] | None = None, *, trickle: bytes = b"", pause: float = 0.02
) -> Generator[str]:
    """Answer every connection with `says`, then with `trickle` again and again; give the address.

    Args:
        heard: Gets what each connection sent first.
        pause: How many seconds lie between two of `trickle`.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            (heard if heard is not None else []).append(connection.recv(65536))
            connection.sendall(says)
            while trickle and not over.wait(pause):
                connection.sendall(trickle)
            connection.shutdown(socket.SHUT_WR)
            over.wait(5)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
