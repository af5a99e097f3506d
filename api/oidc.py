"""Sign-in at an OpenID Connect provider: the authorization code flow with PKCE, as Authlib speaks it.

Loaded where a provider is configured; nothing else imports it, or Authlib.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import httpx2 as httpx
from authlib.integrations.starlette_client import OAuth, OAuthError, StarletteOAuth2App
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from joserfc.errors import JoseError

from api.deps import ServiceDep
from api.request_log import audit
from api.users import group_ids, scope_of, user_id
from core.errors import Forbidden, InitlabError, Unavailable
from core.settings import Settings

LOGIN, CALLBACK = "/session/login", "/session/callback"
COOKIE = "initlab_sign_in"
"""The cookie that a browser brings back from the provider, with the state, the nonce and PKCE's verifier."""
SIGN_IN_SECONDS = 600
PATIENCE = 10.0
"""Seconds for each answer of the provider."""
ASYMMETRIC = ("RS", "PS", "ES", "Ed")
"""Of what a provider signs with: one that others cannot sign with."""

router = APIRouter(prefix="/session", tags=["who"])


class NotSignedIn(InitlabError):
    """The browser has not come back from the provider as it was sent there."""

    status = 400
    title = "Not signed in"


class Provider:
    """The provider of the settings, whose description is read when somebody first signs in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        secret = settings.oidc_client_secret
        made = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.oidc_scopes,
                "code_challenge_method": "S256",
                "timeout": PATIENCE,
                **({"token_endpoint_auth_method": "none"} if secret is None else {}),
            },
        )
        self._client: StarletteOAuth2App = made

    async def leave(self, request: Request) -> RedirectResponse:
        """Send a browser to the provider; `request.session` has what it is to bring back."""
        await self._describe()
        callback = self._settings.public_url.rstrip("/") + CALLBACK
        answer: RedirectResponse = await self._asked(self._client.authorize_redirect(request, callback))
        return answer

    async def come_back(self, request: Request) -> Mapping[str, Any]:
        """Return the claims about the user of a browser that comes from the provider.

        Raises `NotSignedIn` for one that was not sent there, and for a word that is not the provider's, for us and new.
        """
        await self._describe()
        expected: dict[str, Any] = {
            "iss": {"essential": True, "value": self._settings.oidc_issuer},
            "aud": {"essential": True, "value": self._settings.oidc_client_id},
        }
        token = await self._asked(self._client.authorize_access_token(request, claims_options=expected))
        claims = token.get("userinfo")
        if claims is None:
            raise NotSignedIn("the provider sent no id_token")
        wanted = {self._settings.oidc_user_claim, self._settings.oidc_groups_claim}
        if wanted - claims.keys() and "userinfo_endpoint" in self._client.server_metadata:
            more = await self._asked(self._client.userinfo(token=token))
            if more.get("sub") != claims["sub"]:
                raise NotSignedIn("the provider tells of another user than the one who signed in")
            claims = {**more, **claims}
        return dict(claims)

    async def _describe(self) -> None:
        found = await self._asked(self._client.load_server_metadata())
        said = found.get("id_token_signing_alg_values_supported") or ["RS256"]
        found["id_token_signing_alg_values_supported"] = [one for one in said if one.startswith(ASYMMETRIC)]

    async def _asked(self, call: Any) -> Any:
        try:
            return await call
        except OAuthError as error:
            raise NotSignedIn(f"{error.error}: begin again with {LOGIN}") from error
        except JoseError as error:
            raise NotSignedIn(f"the provider's word does not hold: {error}") from error
        except (httpx.HTTPError, ValueError) as error:  # no answer, or one that is no JSON
            raise Unavailable(f"the provider where users sign in did not answer: {type(error).__name__}") from error


@router.get("/login", status_code=302, response_class=RedirectResponse)
async def begin_sign_in(
    request: Request,
    service: ServiceDep,
    next: Annotated[  # noqa: A002 the query parameter's name
        str, Query(pattern=r"^/([^/\\\x00-\x20][^\\\x00-\x20]*)?$", max_length=500, description="the path to go on to")
    ] = "/",
) -> RedirectResponse:
    """Send the browser to the provider where users sign in."""
    provider: Provider = request.app.state.provider
    request.scope["session"] = {}
    answer = await provider.leave(request)
    brought = {"next": next, "session": request.session}
    service.sessions.set(answer, request.scope, COOKIE, brought, SIGN_IN_SECONDS)
    return answer


@router.get("/callback", status_code=303, response_class=RedirectResponse)
async def end_sign_in(request: Request, service: ServiceDep) -> RedirectResponse:
    """Take a browser that comes from the provider: it gets a session, as its user with the groups of that moment."""
    provider: Provider = request.app.state.provider
    settings = service.settings
    brought = service.sessions.get(request.scope, COOKIE) or {"next": "/", "session": {}}
    request.scope["session"] = brought["session"]
    claims = await provider.come_back(request)
    user = user_id(_name(claims, settings.oidc_user_claim))
    deciding = {*service.keys.roles.groups, *(f"%{name}" for name in settings.group_scopes)}
    groups = tuple(one for one in group_ids(_listed(claims.get(settings.oidc_groups_claim))) if one in deciding)
    scope_of(settings, user, groups)
    answer = RedirectResponse(brought["next"], 303)
    service.sessions.begin(answer, request.scope, user, groups=groups)
    service.sessions.forget(answer, request.scope, COOKIE)
    about = {"by": user, "address": request.client and request.client.host}
    audit.info("GET %s: %d", CALLBACK, answer.status_code, extra=about)
    return answer


def _name(claims: Mapping[str, Any], claim: str) -> str:
    """Return the user's name; raises `Forbidden` where there is none, and for an address that may be another's."""
    name = claims.get(claim)
    if not isinstance(name, str):
        raise Forbidden(f"the provider does not say the claim {claim!r} of this user: see INITLAB_OIDC_USER_CLAIM")
    if claim == "email" and claims.get("email_verified") is not True:
        raise Forbidden(f"the provider has not verified that {name} is this user's address")
    return name


def _listed(said: Any) -> list[str]:
    return [one for one in ([said] if isinstance(said, str) else said or []) if isinstance(one, str)]
