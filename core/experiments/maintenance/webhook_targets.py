"""Targets of webhooks: a message goes to a public address only, and to the very one that was looked at."""

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx2 as httpx

SECONDS = 5.0
"""For an attempt: the name, the connection, the request, and the head of the answer."""
NAT64 = IPv6Network("64:ff9b::/96")


class NotSent(Exception):
    """The message was not sent, or nothing was heard of it; the text says why, and nothing of what was answered."""


async def post(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    """Send a message, and return the status of the answer; its body is not read, and no redirect is followed.

    The name is resolved once, and its address connected to: no second answer of a name server can lead elsewhere.
    With `private` any address will do. Raises `NotSent`.
    """
    try:
        async with asyncio.timeout(SECONDS):
            asked = httpx.URL(url)
            address = await _resolved(asked, private=private)
            host = asked.netloc.decode("ascii")
            pinned = asked.copy_with(host=address)
            async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client:
                request = client.build_request("POST", pinned, content=body, headers={**headers, "Host": host})
                request.extensions["sni_hostname"] = asked.host  # the certificate has to be the name's
                answer = await client.send(request, stream=True)
                await answer.aclose()
                return answer.status_code
    except TimeoutError:
        raise NotSent(f"no answer within {SECONDS:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise NotSent(type(error).__name__) from error


async def _resolved(url: httpx.URL, *, private: bool) -> str:
    """Return the first address of the URL's host. Raises `NotSent` where any of them is not public."""
    port = url.port or {"https": 443, "http": 80}[url.scheme]
    found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_public(address) for address in addresses):
        raise NotSent("its address is not a public one")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet, also where it stands inside of another one."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inside = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if found in NAT64:
            inside = IPv4Address(int(found) & 0xFFFFFFFF)
        if inside and not is_public(str(inside)):
            return False
        if found.ipv4_mapped:
            return True
    return found.is_global and not found.is_multicast
