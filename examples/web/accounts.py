"""Who is signed in. Kept in memory, where a larger application has its database; the session cookie holds the key."""

import secrets
from dataclasses import dataclass, field
from typing import Any

MOST = 1000


@dataclass(frozen=True)
class Account:
    claims: dict[str, Any]
    id_token: str
    sign_out_token: str = field(default_factory=secrets.token_urlsafe)


_accounts: dict[str, Account] = {}


def keep(account: Account) -> str:
    key = secrets.token_urlsafe()
    _accounts[key] = account
    while len(_accounts) > MOST:
        forget(next(iter(_accounts)))
    return key


def find(key: str) -> Account | None:
    return _accounts.get(key)


def forget(key: str) -> None:
    _accounts.pop(key, None)
