"""No secret of a tracking URI gets into the files of a run, from where it would travel on.

MLflow takes what it needs to log in from the environment, so that nothing is lost by refusing.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from evoplastic.checks import UsageError, require

INSTEAD = (
    "leave it out and set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD"
)
SECRET_KEY = re.compile("pass|pwd|secret|token|key|auth|cred|sig|session|cookie", re.IGNORECASE)


def require_no_secret(uri: str) -> None:
    """Raise for a tracking URI that holds, or may hold, something to log in with.

    For a server, that is anything before an `@` and any query: a name in that place is as often a
    token. A database may have a user, and a query without a word for a secret.

    Raises:
        UsageError: it does, or it is no URI; the message does not repeat the secret.

    >>> require_no_secret("sqlite:///runs/mlflow.db")
    >>> require_no_secret("postgresql://me@host/db?sslmode=require")
    >>> require_no_secret("http://host:5000?token=abc")
    Traceback (most recent call last):
    ...
    evoplastic.checks.UsageError: the tracking URI holds a query; leave it out and set ...
    """
    try:
        parts = urlsplit(uri)
        server, password = parts.scheme in ("http", "https"), parts.password
    except ValueError as error:
        raise UsageError(f"{uri!r} is no tracking URI: {error}") from error
    require(uri.isprintable(), f"{uri!r} is no tracking URI: it holds control characters")
    require(password is None, f"the tracking URI holds a password; {INSTEAD}")
    if server:
        require("@" not in parts.netloc, f"the tracking URI holds a user or a token; {INSTEAD}")
        require(not parts.query, f"the tracking URI holds a query; {INSTEAD}")
        require(not parts.fragment, f"the tracking URI holds a fragment; {INSTEAD}")
    query = uri.partition("?")[2]
    keys = [key for key, _ in parse_qsl(query, keep_blank_values=True)]
    require(
        parts.scheme != "sqlite" or not query,
        "the tracking URI of an SQLite file holds a query, which MLflow has no use for; leave it "
        "out",
    )
    require(
        not any(SECRET_KEY.search(key) for key in keys),
        f"the tracking URI holds a secret in its query; {INSTEAD}",
    )
