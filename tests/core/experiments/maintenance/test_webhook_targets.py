"""A message goes to a public address only, and to the one that was looked at."""

import asyncio
import socket
import ssl
import threading
from typing import Any

import pytest

from core.experiments.maintenance.webhook_targets import NotSent, is_public, post
from tests.receiver import receiving


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
    ],
)
def test_addresses_inside_of_a_network_are_known_in_every_form(address: str, public: bool) -> None:
    assert is_public(address) is public


def _post(url: str, *, private: bool = False) -> int:
    return asyncio.run(post(url, b"{}", {}, private=private))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_a_private_target_is_not_even_connected_to(host: str) -> None:
    with receiving() as receiver:
        with pytest.raises(NotSent, match="not a public one"):
            _post(f"http://{host}:{receiver.port}/")
        assert receiver.received == []


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have a name server answer for hook.example, each time the next; return what it was asked."""
    real, left, asked = socket.getaddrinfo, list(answers), []

    def answer(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in ("hook.example", b"hook.example"):
            return real(host, port, *args, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(NotSent, match="not a public one"):
        _post("https://hook.example/")


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second answer would be one that nobody has looked at."""
    with receiving() as receiver:
        asked = names(monkeypatch, ["127.0.0.1"])
        assert _post(f"http://hook.example:{receiver.port}/path?query=1", private=True) == 204
        (got,) = receiver.received
    assert asked == ["hook.example"]
    assert (got.headers["Host"], got.path) == (f"hook.example:{receiver.port}", "/path?query=1")


def test_tls_is_of_the_name_and_not_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handshake asks for the name; this one has no certificate to show."""
    names(monkeypatch, ["127.0.0.1"])
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, pytest.raises(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NotSent, match="ConnectError"):
            _post(f"https://hook.example:{listening.getsockname()[1]}/", private=True)
        thread.join(10)
    assert asked == ["hook.example"]
