"""A server that speaks each vendor's documented wire format, with JWTs of a library that the portal doesn't use."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.upstream import golden
from tests.upstream.vendors import APPLE_KEY, VENDORS, Vendor

Answer = tuple[int, dict[str, Any] | list[Any]]
# Making one takes long.
SIGNING_KEY = RSAKey.generate_key(2048, {"kid": "signing-key-1", "use": "sig", "alg": "RS256"}, auto_kid=False)


@dataclass
class Issued:
    """An authorization code, and what it was asked with."""

    asked: dict[str, str]
    vendor: Vendor
    is_used: bool = False


@dataclass
class UpstreamServer:
    """All vendors, each under its kind: /Google/…. What a test changes ends with `reset`.

    `claims`: other claims than the golden ones (None: left out). `error`: what the person comes back with instead of
    a code. `token_answer`: what the token endpoint says instead of tokens. `forge` makes the ID token of its claims.
    `document` changes the discovery document, `key` the published key. `emails` are GitHub's, `user` is Apple's.
    """

    base: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] | None = None
    error: dict[str, str] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)
    token_answer: Answer | None = None
    forge: Callable[[dict[str, Any]], str] | None = None
    document: dict[str, Any] = field(default_factory=dict)
    key: dict[str, Any] = field(default_factory=dict)
    emails: Answer = (200, golden.GITHUB_EMAILS)
    user: str = ""
    codes: dict[str, Issued] = field(default_factory=dict)
    # Everything secret that was ever given out.
    tokens: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    http: ThreadingHTTPServer | None = None

    def start(self) -> "UpstreamServer":
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"upstream": self}))
        self.http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        assert self.http
        self.http.shutdown()
        self.http.server_close()

    def reset(self) -> None:
        fresh = UpstreamServer()
        for name in (
            "claims",
            "profile",
            "error",
            "more",
            "token_answer",
            "forge",
            "document",
            "key",
            "emails",
            "user",
        ):
            setattr(self, name, getattr(fresh, name))
        self.codes, self.tokens, self.seen = {}, [], []

    @property
    def endpoints(self) -> dict[str, dict[str, str]]:
        """The setting PROVIDER_ENDPOINTS that puts this server in the place of all vendors."""
        vendors = (vendor for kind, vendor in VENDORS.items() if kind != "OpenIdConnect")
        return {vendor.kind: vendor.endpoints(self.base) for vendor in vendors}

    def issuer(self, kind: str) -> str:
        return VENDORS[kind].issuer_of(self.base, VENDORS[kind].claims | self.claims)

    def authorize(self, url: str) -> tuple[str, dict[str, str]]:
        """Play the person, who agrees at once: return where the vendor sends the browser, and with what."""
        assert url.startswith(self.base), url
        vendor = self.vendor_at(urlsplit(url).path)
        assert urlsplit(url).path == f"/{vendor.kind}{vendor.authorize}", url
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        if vendor.is_form_post:
            assert asked["response_mode"] == "form_post"
        answer = {"state": asked["state"], **self.more}
        if self.error:
            return asked["redirect_uri"], answer | self.error
        code = secrets.token_urlsafe(16)
        self.codes[code] = Issued(asked, vendor)
        if vendor.is_form_post and self.user:
            answer["user"] = self.user
        return asked["redirect_uri"], answer | {"code": code}

    def send_back(self, url: str) -> str:
        """Return the address to which a vendor redirects the browser."""
        redirect_uri, answer = self.authorize(url)
        return f"{redirect_uri}?{urlencode(answer)}"

    def vendor_at(self, path: str) -> Vendor:
        return VENDORS[path.split("/")[1]]

    def answer(self, method: str, path: str, form: dict[str, str], headers: Any) -> Answer:
        vendor = self.vendor_at(path)
        rest = path.removeprefix(f"/{vendor.kind}")
        self.seen.append(f"{method} {path}")
        if rest.endswith("/.well-known/openid-configuration") and vendor.is_openid:
            return 200, self._document(vendor)
        if rest == vendor.keys:
            return 200, {"keys": [SIGNING_KEY.as_dict(private=False) | self.key]}
        if rest == vendor.token and method == vendor.token_method:
            return self.token_answer or self._redeem(vendor, form)
        if rest == vendor.profile:
            return self._profile(vendor, form, headers)
        if rest == "/api/user/emails":
            return self.emails
        return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}

    def _document(self, vendor: Vendor) -> dict[str, Any]:
        here = f"{self.base}/{vendor.kind}"
        document = {
            "issuer": (here + vendor.issuer).replace("{tenant}", "{tenantid}"),
            "authorization_endpoint": here + vendor.authorize,
            "token_endpoint": here + vendor.token,
            "jwks_uri": here + vendor.keys,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
        if vendor.profile:
            document["userinfo_endpoint"] = here + vendor.profile
        if vendor.refuses_pkce:
            # LinkedIn's says nothing of it, and takes the secret in the body only.
            del document["token_endpoint_auth_methods_supported"]
        return {name: value for name, value in (document | self.document).items() if value is not None}

    def _redeem(self, vendor: Vendor, form: dict[str, str]) -> Answer:
        issued = self.codes.get(form.get("code", ""))
        if not self._knows_client(vendor, form):
            return golden.CLIENT_REFUSED[vendor.kind]
        if issued is None or issued.is_used or issued.vendor is not vendor:
            return golden.CODE_REFUSED.get(vendor.kind, (400, {"error": "invalid_grant"}))
        if form.get("redirect_uri") != issued.asked["redirect_uri"] or not self._proves_key(vendor, form, issued):
            return golden.CODE_REFUSED.get(vendor.kind, (400, {"error": "invalid_grant"}))
        issued.is_used = True
        access_token = "upstream-access-" + secrets.token_urlsafe(16)
        answer = {"access_token": access_token, "token_type": "bearer", "expires_in": 3599}
        if vendor.is_openid:
            answer["id_token"] = self._id_token(vendor, issued, access_token)
            answer["refresh_token"] = "upstream-refresh-" + secrets.token_urlsafe(16)
        self.tokens += [str(answer[name]) for name in answer if name.endswith("_token")] + [form["code"]]
        return 200, answer

    def _knows_client(self, vendor: Vendor, form: dict[str, str]) -> bool:
        if vendor.auth == "apple":
            secret = jwt.decode(form.get("client_secret", ""), APPLE_KEY, algorithms=["ES256"])
            told = secret.claims
            return (
                (secret.header["kid"], told["iss"], told["sub"]) == ("ABC123DEFG", "DEF123GHIJ", form.get("client_id"))
                and told["aud"] == "https://appleid.apple.com"
                and told["iat"] <= time.time() < told["exp"] < time.time() + 15_777_000
            )
        return form.get("client_id") == "the-portal" and form.get("client_secret") == "the-client-secret"

    def _proves_key(self, vendor: Vendor, form: dict[str, str], issued: Issued) -> bool:
        if vendor.refuses_pkce:
            return "code_verifier" not in form and "code_challenge" not in issued.asked
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return issued.asked["code_challenge_method"] == "S256" and issued.asked["code_challenge"] == challenge

    def _id_token(self, vendor: Vendor, issued: Issued, access_token: str) -> str:
        now = int(time.time())
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        told = vendor.claims | {
            "aud": issued.asked["client_id"],
            "iat": now,
            "exp": now + 3600,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        }
        if vendor.echoes_nonce:
            told["nonce"] = issued.asked["nonce"]
        told |= {"iss": vendor.issuer_of(self.base, told | self.claims)} | self.claims
        told = {name: value for name, value in told.items() if value is not None}
        return self.forge(told) if self.forge else sign(told)

    def _profile(self, vendor: Vendor, form: dict[str, str], headers: Any) -> Answer:
        token = form.get("access_token") or headers.get("Authorization", "").partition(" ")[2]
        if token not in self.tokens:
            return 401, {"message": "Bad credentials"}
        if vendor.kind == "Facebook":
            proof = hmac.new(b"the-client-secret", token.encode(), hashlib.sha256).hexdigest()
            if form.get("appsecret_proof") != proof:
                return 400, {
                    "error": {"message": "Invalid appsecret_proof", "type": "GraphMethodException", "code": 100}
                }
        told = self.profile or vendor.claims | self.claims
        return 200, {name: value for name, value in told.items() if value is not None}


def sign(claims: dict[str, Any], *, key: Any = SIGNING_KEY, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "signing-key-1", "typ": "JWT", **header}, claims, key, [algorithm])


class Handler(BaseHTTPRequestHandler):
    upstream: UpstreamServer

    def do_GET(self) -> None:
        vendor = self.upstream.vendor_at(self.path)
        if urlsplit(self.path).path == f"/{vendor.kind}{vendor.authorize}":
            self._send_back(vendor)
        else:
            self._answer("GET", dict(parse_qsl(urlsplit(self.path).query)))

    def _send_back(self, vendor: Vendor) -> None:
        """For real browsers: a redirect, or a form that is sent when the person presses its button."""
        redirect_uri, answer = self.upstream.authorize(self.upstream.base + self.path)
        if vendor.is_form_post:
            fields = "".join(f'<input type="hidden" name="{name}" value="{answer[name]}">' for name in answer)
            page = f'<form method="post" action="{redirect_uri}">{fields}<button>Continue</button></form>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            return
        self.send_response(302)
        self.send_header("Location", f"{redirect_uri}?{urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer("POST", dict(parse_qsl(body)))

    def _answer(self, method: str, form: dict[str, str]) -> None:
        status, told = self.upstream.answer(method, urlsplit(self.path).path, form, self.headers)
        # GitHub answers with a form unless JSON is asked for.
        wants_json = "json" in self.headers.get("Accept", "") or "GitHub" not in self.path
        body = json.dumps(told) if wants_json or isinstance(told, list) else urlencode(told)
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if wants_json else "application/x-www-form-urlencoded")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """The tests look at `seen`."""
