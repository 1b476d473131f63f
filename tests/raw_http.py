"""A tiny HTTP server of our own for tests: it can answer in ways that no proper server would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[["Talk"], None]


class Talk:
    """One connection: the request that came and the means to answer it bit by bit."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection = connection
        self.closing = closing
        self.peer = str(connection.getpeername()[0])
        self.path = ""
        self.headers: dict[str, str] = {}

    def read_request(self) -> bool:
        raw = b""
        while b"\r\n\r\n" not in raw:
            more = self._connection.recv(65536)
            if not more:
                return False
            raw += more
        lines = raw.decode("latin-1").split("\r\n")
        self.path = lines[0].split(" ")[1]
        pairs = (line.partition(":") for line in lines[1:] if line)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return True

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def answer(self, body: bytes, *, status: str = "HTTP/1.1 200 OK", **headers: str) -> None:
        lines = [status, f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def begin(self, *, status: str = "HTTP/1.0 200 OK", **headers: str) -> None:
        """Send the head of an endless body."""
        lines = [status, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def hang(self) -> None:
        """Say nothing until the test is over or the client has gone."""
        self._connection.settimeout(0.05)
        while not self.closing.is_set():
            with suppress(TimeoutError):
                if not self._connection.recv(65536):
                    return


class RawServer:
    """Serves paths by functions on 127.0.0.1, each connection in a thread of its own."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.requests: list[Talk] = []
        self._answers: dict[str, Answer] = {}
        self._prefixes: dict[str, Answer] = {}
        self._closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path: str, answer: Answer) -> str:
        """Answer `path` (without its query) by a function; gives the URL."""
        self._answers[path] = answer
        return self.base + path

    def on_any(self, prefix: str, answer: Answer) -> None:
        """Answer every path that begins so, where none of its own is set."""
        self._prefixes[prefix] = answer

    def close(self) -> None:
        self._closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError, TimeoutError):
            talk = Talk(connection, self._closing)
            if not talk.read_request():
                return
            self.requests.append(talk)
            path = talk.path.partition("?")[0]
            answer = self._answers.get(path) or next(
                (one for prefix, one in self._prefixes.items() if path.startswith(prefix)), None
            )
            if answer is None:
                talk.answer(b"nothing here", status="HTTP/1.1 404 Not Found")
            else:
                answer(talk)


@contextmanager
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    try:
        yield server
    finally:
        server.close()
