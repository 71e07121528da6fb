"""The sections `[[notify]]`: one kind of section for each route by which people are notified."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias, Union
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from monitoring.config.addresses import alertmanager_url, is_loopback, program, redacted, web_url, webhook_url
from monitoring.config.invalid_setting import reject_setting
from monitoring.config.section import LocalPath, Name, Section, check_one_way
from monitoring.config.values import at_least_one, distinct, email_address, route_timeout
from monitoring.plugins import ROUTES as ROUTE_PLUGINS
from monitoring.plugins import installed_plugins

#: The states of an incident of which people can be notified.
State: TypeAlias = Literal["open", "worse", "recovering", "closed", "acknowledged"]
States = Annotated[tuple[State, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(distinct)]
Address = Annotated[str, AfterValidator(email_address)]
Addresses = Annotated[tuple[Address, ...], Field(strict=False), AfterValidator(at_least_one)]

OPEN_AND_WORSE: tuple[State, ...] = ("open", "worse")
WITH_THE_END: tuple[State, ...] = ("open", "worse", "closed")


class RouteSection(Section):
    """What every route has: its level and its states, and addresses for links to the dashboard and back from it."""

    #: The settings that say who is reached; others may change while a notification is pending.
    ADDRESS: ClassVar[tuple[str, ...]] = ()
    #: Whether each run sends again what is open, as the receiver forgets it otherwise.
    REFRESHED: ClassVar[bool] = False
    #: Whether the receiver keeps incidents of its own, which have to end.
    KEEPS_INCIDENTS: ClassVar[bool] = False

    route: str
    level: Literal["page", "notice"] = Field(default="page", examples=["page"])
    states: States = Field(default=OPEN_AND_WORSE, examples=[["open", "worse", "closed"]])
    link: Annotated[str, AfterValidator(web_url)] | None = Field(default=None, examples=["https://monitor.example.org"])
    incident_url: Annotated[str, AfterValidator(web_url)] | None = Field(
        default=None, examples=["https://example.pagerduty.com/incidents?query={key}"]
    )

    @property
    def receiver(self) -> str:
        """The identity of the receiver in the store: SHA-256 in hexadecimal, as its address may be a secret."""
        address = [self.route, *(str(getattr(self, name)) for name in self.ADDRESS)]
        return hashlib.sha256(json.dumps(address).encode()).hexdigest()

    @property
    def redacted_address(self) -> str:
        """The receiver in messages, without secrets."""
        return self.route

    def _one_of(self, name: str, *, inline: bool = False, needed: bool = True) -> None:
        check_one_way(self, name, whose=f"the {self.route} route", inline=inline, needed=needed)


class WebhookRoute(RouteSection):
    """A JSON document by POST, signed as Standard Webhooks says where a secret is given."""

    ADDRESS = ("webhook_file", "webhook_env")

    route: Literal["webhook"] = "webhook"
    webhook: Annotated[str, AfterValidator(webhook_url)] | None = Field(
        default=None, repr=False, examples=["https://hooks.example.org/pitfalls"]
    )
    webhook_file: LocalPath | None = Field(default=None, examples=["secrets/webhook"])
    webhook_env: Name | None = Field(default=None, examples=["WEBHOOK"])
    secret_file: LocalPath | None = Field(default=None, examples=["secrets/webhook-secret"])
    secret_env: Name | None = Field(default=None, examples=["WEBHOOK_SECRET"])

    @property
    def receiver(self) -> str:
        """The identity of the receiver, for a URL in the config the same as in earlier releases."""
        return super().receiver if self.webhook is None else hashlib.sha256(self.webhook.encode()).hexdigest()

    @property
    def redacted_address(self) -> str:
        """The URL without its secrets, or where it is kept."""
        return redacted(self.webhook) if self.webhook is not None else f"webhook of {_secret_origin(self, 'webhook')}"

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        self._one_of("webhook", inline=True)
        self._one_of("secret", needed=False)
        return self


class SlackRoute(RouteSection):
    """A message to a Slack channel, by an incoming webhook; its URL is a secret."""

    ADDRESS = ("webhook_file", "webhook_env")

    route: Literal["slack"]
    webhook_file: LocalPath | None = Field(default=None, examples=["secrets/slack"])
    webhook_env: Name | None = Field(default=None, examples=["SLACK_WEBHOOK"])

    @property
    def redacted_address(self) -> str:
        """The route, and where its URL is kept."""
        return f"slack, webhook of {_secret_origin(self, 'webhook')}"

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        self._one_of("webhook")
        return self


class _EndingRoute(RouteSection):
    """A route to a system that keeps incidents of its own, which have to end."""

    KEEPS_INCIDENTS = True

    states: States = Field(default=WITH_THE_END, examples=[["open", "worse", "closed"]])

    @model_validator(mode="after")
    def _with_an_end(self) -> Self:
        if missing := [state for state in ("open", "closed") if state not in self.states]:
            reject_setting(
                f"the {self.route} route needs the states open and closed, as its incidents stay open otherwise.",
                got=list(self.states),
                expected=f"{' and '.join(missing)} too",
                fix='Write, for example, states = ["open", "worse", "closed"].',
            )
        return self


class PagerDutyRoute(_EndingRoute):
    """An incident in PagerDuty, by its Events API v2: triggered, acknowledged and resolved."""

    ADDRESS = ("url", "routing_key_file", "routing_key_env")

    route: Literal["pagerduty"]
    routing_key_file: LocalPath | None = Field(default=None, examples=["secrets/pagerduty"])
    routing_key_env: Name | None = Field(default=None, examples=["PAGERDUTY_ROUTING_KEY"])
    states: States = Field(default=(*WITH_THE_END, "acknowledged"), examples=[["open", "worse", "closed"]])
    url: Annotated[str, AfterValidator(webhook_url)] = Field(
        default="https://events.pagerduty.com/v2/enqueue", examples=["https://events.eu.pagerduty.com/v2/enqueue"]
    )

    @property
    def redacted_address(self) -> str:
        """The route, and where its key is kept."""
        return f"pagerduty, routing key of {_secret_origin(self, 'routing_key')}"

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        self._one_of("routing_key")
        return self


class AlertmanagerRoute(_EndingRoute):
    """An alert in Prometheus's Alertmanager, by its API v2."""

    ADDRESS = ("url",)
    REFRESHED = True

    route: Literal["alertmanager"]
    url: Annotated[str, AfterValidator(alertmanager_url)] = Field(examples=["http://alertmanager:9093"])
    token_file: LocalPath | None = Field(default=None, examples=["secrets/alertmanager"])
    token_env: Name | None = Field(default=None, examples=["ALERTMANAGER_TOKEN"])

    @property
    def redacted_address(self) -> str:
        """The route and its URL without secrets."""
        return f"alertmanager, {redacted(self.url)}"

    @model_validator(mode="after")
    def _token(self) -> Self:
        self._one_of("token", needed=False)
        if self.token_file is not None or self.token_env is not None:
            _encrypted(self.url, "a token is sent")
        return self


class EmailRoute(RouteSection):
    """A mail by SMTP, encrypted except on this machine."""

    ADDRESS = ("host", "port", "to")

    route: Literal["email"]
    host: Name = Field(examples=["smtp.example.org"])
    port: int = Field(default=587, ge=1, le=65535, examples=[587])
    security: Literal["starttls", "tls", "none"] = Field(default="starttls", examples=["starttls"])
    sender: Address = Field(examples=["monitor@example.org"])
    to: Addresses = Field(examples=[["on-call@example.org"]])
    user: Name | None = Field(default=None, examples=["monitor"])
    password_file: LocalPath | None = Field(default=None, examples=["secrets/smtp"])
    password_env: Name | None = Field(default=None, examples=["SMTP_PASSWORD"])

    @property
    def redacted_address(self) -> str:
        """The addresses and the server."""
        return f"email to {', '.join(self.to)} by {self.host}:{self.port}"

    @model_validator(mode="after")
    def _login(self) -> Self:
        self._one_of("password", needed=self.user is not None)
        if self.user is None and (self.password_file is not None or self.password_env is not None):
            reject_setting(
                "a password needs a user.", got=None, expected="user", fix='Write, for example, user = "monitor".'
            )
        if self.security == "none":
            _encrypted(f"http://{self.host}:{self.port}", "mail is sent")
        return self


class CommandRoute(RouteSection):
    """A program of this machine, which gets the JSON document of a webhook on its standard input."""

    ADDRESS = ("command",)

    route: Literal["command"]
    command: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(program)] = (
        Field(examples=[["/usr/local/bin/notify", "--from", "pitfalls"]])
    )
    timeout: Annotated[timedelta, BeforeValidator(route_timeout)] = Field(
        default=timedelta(seconds=10), validate_default=False, examples=["10s"]
    )

    @property
    def redacted_address(self) -> str:
        """The program's name."""
        return f"command {self.command[0]}"


class AppriseRoute(RouteSection):
    """The services of a configuration of Apprise."""

    ADDRESS = ("config_file",)

    route: Literal["apprise"]
    config_file: LocalPath = Field(examples=["secrets/apprise.yml"])
    timeout: Annotated[timedelta, BeforeValidator(route_timeout)] = Field(
        default=timedelta(seconds=30), validate_default=False, examples=["30s"]
    )

    @property
    def redacted_address(self) -> str:
        """The route and the file's name."""
        return f"apprise {self.config_file.name}"


class PluginRoute(RouteSection):
    """A route of another distribution, by an entry point of the group ``pitfalls.routes``; its options are its own."""

    ADDRESS = ("options",)

    options: dict[str, Any] = Field(default={}, examples=[{"topic": "models"}])
    timeout: Annotated[timedelta, BeforeValidator(route_timeout)] = Field(
        default=timedelta(seconds=30), validate_default=False, examples=["30s"]
    )


ROUTES: Mapping[str, type[RouteSection]] = {
    "webhook": WebhookRoute,
    "slack": SlackRoute,
    "pagerduty": PagerDutyRoute,
    "alertmanager": AlertmanagerRoute,
    "email": EmailRoute,
    "command": CommandRoute,
    "apprise": AppriseRoute,
}


#: The tag of the routes that are plug-ins, which is no name of a route.
_PLUGIN = "[plugin]"


def section_of_route(tag: str) -> type[RouteSection]:
    """The kind of section behind a name in `ROUTES`, or a plug-in's."""
    return ROUTES.get(tag, PluginRoute)


def known_routes() -> tuple[str, ...]:
    """The names of all routes, those of installed plug-ins last."""
    return (*ROUTES, *(name for name in installed_plugins(ROUTE_PLUGINS) if name not in ROUTES))


def _route_of(value: Any) -> str:
    """The kind of route that a section names; a webhook where it names none."""
    named = value.get("route", "webhook") if isinstance(value, dict) else getattr(value, "route", "webhook")
    return str(named) if named in ROUTES or named not in known_routes() else _PLUGIN


def _encrypted(url: str, what: str) -> None:
    """Refuse plain text beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        reject_setting(
            f"{what} encrypted, or stays on this machine.",
            got=redacted(url),
            expected="an encrypted connection",
            fix="Use https, TLS or STARTTLS.",
        )


def _secret_origin(section: RouteSection, name: str) -> str:
    """Where a secret is kept, in words."""
    file, variable = getattr(section, f"{name}_file"), getattr(section, f"{name}_env")
    return str(file) if file is not None else f"the variable {variable}"


if TYPE_CHECKING:
    Route: TypeAlias = RouteSection
else:
    Route = Annotated[
        Union[
            *(Annotated[section, Tag(name)] for name, section in ROUTES.items()), Annotated[PluginRoute, Tag(_PLUGIN)]
        ],
        Discriminator(_route_of),
    ]
