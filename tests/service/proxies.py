"""A proxy before PostgreSQL that loses connections as networks do."""

import socket
import threading
from contextlib import suppress


class Proxy:
    """Forwards to a server on this machine, until it is told to fail."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.cuts_after_commit = 0
        """How many more commits reach the server while their answers do not reach the client."""
        self._target = target
        self._refusing = False
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def refuse(self) -> None:
        """The server is gone: open connections break, new ones are closed at once."""
        self._refusing = True
        self.cut()

    def allow(self) -> None:
        """It is back."""
        self._refusing = False

    def cut(self) -> None:
        """Break all open connections."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self._close(pair)

    def close(self) -> None:
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._refusing:
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                pair = (client, server)
                with self._lock:
                    self._pairs.add(pair)
                threading.Thread(target=self._forward, args=(pair, client, server), daemon=True).start()
                threading.Thread(target=self._forward, args=(pair, server, client), daemon=True).start()

    def _forward(self, pair: tuple[socket.socket, socket.socket], source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                commits = source is pair[0] and b"COMMIT" in data
                if commits and self.cuts_after_commit:
                    self.cuts_after_commit -= 1
                    source.shutdown(socket.SHUT_WR)  # the client hears no more, the server does what it was told
                    sink.sendall(data)
                    sink.recv(65536)
                    break
                sink.sendall(data)
        self._close(pair)

    def _close(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
