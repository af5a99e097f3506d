"""An OpenID Connect provider on a port of this machine: pyop's, which real ones are made of, over plain HTTP."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from Cryptodome.PublicKey import RSA
from jwkest.jwk import RSAKey
from pyop.authz_state import AuthorizationState
from pyop.exceptions import OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo

CLIENT, SECRET = "initlab", "s3cret"
USERS: dict[str, dict[str, Any]] = {
    "anna": {"sub": "sub-anna", "email": "anna@lab.example", "email_verified": True, "groups": ["lab", "nlp", "tea"]},
    "ben": {"sub": "sub-ben", "email": "ben@lab.example", "email_verified": False},
}


class Lying(Provider):  # type: ignore[misc]  # pyop has no types
    """pyop's provider, whose id tokens can be made to say, or be signed by, something else."""

    signing_key: Any
    id_token_lifetime: int

    def __init__(self, key: Any, described: dict[str, Any], *given: Any, **named: Any) -> None:
        tls = {
            name: said.replace("http:", "https:") if isinstance(said, str) else said for name, said in described.items()
        }
        super().__init__(key, tls, *given, **named)  # it insists on TLS
        for name, said in described.items():
            self.configuration_information[name] = said
        self.lies: dict[str, Any] = {}
        self.user = "anna"
        self.claims: Mapping[str, Any] = {}
        """Said in the id token beside `sub`; the others are told at `/userinfo`."""
        self.verifiers: list[str] = []

    def _create_signed_id_token(
        self, client_id: str, sub: str, claims: Any = None, nonce: str | None = None, *rest: Any
    ) -> str:
        own = self.signing_key, self.configuration_information["issuer"], self.id_token_lifetime
        self.signing_key = self.lies.get("key", own[0])
        self.configuration_information["issuer"] = self.lies.get("issuer", own[1])
        self.id_token_lifetime = self.lies.get("lifetime", own[2])
        try:
            said = (self.lies.get("audience", client_id), sub, claims, self.lies.get("nonce", nonce), *rest)
            token: str = super()._create_signed_id_token(*said)
            return token
        finally:
            self.signing_key, self.configuration_information["issuer"], self.id_token_lifetime = own


def new_key(kid: str = "one") -> Any:
    return RSAKey(key=RSA.generate(2048), use="sig", alg="RS256", kid=kid)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        provider = self.server.provider
        if path == "/.well-known/openid-configuration":
            self._say(provider.provider_configuration.to_dict())
        elif path == "/jwks":
            self._say(provider.jwks)
        elif path == "/authorize":
            asked = provider.parse_authentication_request(query)
            said = provider.authorize(asked, provider.user).request(asked["redirect_uri"])
            self.send_response(302)
            self.send_header("Location", said)
            self.end_headers()
        else:
            said = provider.handle_userinfo_request("", {"Authorization": self.headers["Authorization"]})
            self._say(said.to_dict() | provider.lies.get("userinfo", {}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        provider = self.server.provider
        provider.verifiers += [part for part in body.split("&") if part.startswith("code_verifier=")]
        headers = {"Authorization": self.headers.get("Authorization", "")}
        try:
            said = provider.handle_token_request(body, headers, extra_id_token_claims=dict(provider.claims)).to_dict()
            for name in provider.lies.get("without", ()):
                said.pop(name)
            self._say(said)
        except OAuthError as error:
            self._say({"error": error.oauth_error}, 400)

    def _say(self, content: Any, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    provider: Lying


@contextmanager
def running(callback: str, key: Any) -> Iterator[Lying]:
    """Yield a provider that knows one client, whose browsers come back to `callback`."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        issuer = f"http://127.0.0.1:{server.server_port}"
        server.provider = Lying(
            key,
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "scopes_supported": ["openid", "profile", "email"],
                "id_token_signing_alg_values_supported": ["RS256", "none"],
            },
            AuthorizationState(HashBasedSubjectIdentifierFactory("salt")),
            {CLIENT: {"client_secret": SECRET, "redirect_uris": [callback], "response_types": ["code"],
                      "token_endpoint_auth_method": "client_secret_basic"},
             "another": {"response_types": ["code"]}},
            Userinfo(USERS),
            extra_scopes={"profile": ["groups"]},
        )  # fmt: skip
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.provider
        finally:
            server.shutdown()
            thread.join()
