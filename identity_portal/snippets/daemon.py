"""Applications that work without people."""

import shlex

from identity_portal.snippets.values import SECRET_VARIABLE, Snippet, Values, quoted


def curl(values: Values) -> Snippet:
    text = f"""\
curl --user {shlex.quote(values.client_id)}:"${SECRET_VARIABLE}" \\
  --data grant_type=client_credentials \\
  {shlex.quote(values.token_endpoint)}
"""
    return Snippet("curl", "shell", text)


def requests(values: Values) -> Snippet:
    text = f"""\
# pip install requests
import os

import requests

answer = requests.post(
    {quoted(values.token_endpoint)},
    data={{"grant_type": "client_credentials"}},
    auth=({quoted(values.client_id)}, os.environ["{SECRET_VARIABLE}"]),
    timeout=10,
)
answer.raise_for_status()
access_token = answer.json()["access_token"]
"""
    return Snippet("Python: requests", "python", text)


def authlib(values: Values) -> Snippet:
    text = f"""\
# pip install authlib requests
import os

from authlib.integrations.requests_client import OAuth2Session

session = OAuth2Session({quoted(values.client_id)}, os.environ["{SECRET_VARIABLE}"])
access_token = session.fetch_token({quoted(values.token_endpoint)}, grant_type="client_credentials")["access_token"]
"""
    return Snippet("Python: Authlib", "python", text)
