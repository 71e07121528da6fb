"""URLs of files, and what messages may say of them."""

from __future__ import annotations


def is_url(text: str) -> bool:
    """Whether a text is a URL, and not a path on this machine.

    >>> is_url("s3://bucket/traffic"), is_url("traffic/"), is_url("C:/traffic")
    (True, False, False)
    """
    return "://" in text


def shown_url(url: str) -> str:
    """A URL for messages, without what may be a secret: user, password, query.

    >>> shown_url("https://me:one@host/traffic?sig=two"), shown_url("s3://bucket/traffic")
    ('https://host/traffic?...', 's3://bucket/traffic')
    """
    scheme, mark, rest = url.partition("://")
    place, question, _ = rest.partition("?")
    host, slash, path = place.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}{question and '?...'}"
