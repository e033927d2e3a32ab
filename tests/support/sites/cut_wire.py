"""A wire that is cut as soon as something is said on it: what was asked arrives, and its answer does not."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress


@contextmanager
def cutting(server: str, *, after: bytes, at: bytes) -> Generator[int]:
    """Carry connections on to the socket `server` of this machine, and give the port at which they begin.

    Once `after` and then `at` were said to the server, and it has answered, both sides are hung up on.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def carry(here: socket.socket) -> None:
        there = socket.socket(socket.AF_UNIX)
        there.connect(server)
        begun, said = False, threading.Event()
        back = threading.Thread(target=answers, args=(there, here, said), daemon=True)
        back.start()
        with suppress(OSError):
            while data := here.recv(65536):
                begun = begun or after in data
                if begun and at in data:
                    said.set()
                there.sendall(data)
        there.close()

    def answers(there: socket.socket, here: socket.socket, said: threading.Event) -> None:
        with suppress(OSError):
            while (data := there.recv(65536)) and not said.is_set():
                here.sendall(data)
            here.shutdown(socket.SHUT_RDWR)
        here.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=carry, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
