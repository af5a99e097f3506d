"""The OpenAPI document, made once for all tests that read it: nobody changes it."""

from api.app import create_app
from core.settings import Settings

DOCUMENT = create_app(Settings()).openapi()
