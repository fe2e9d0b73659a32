"""A web application without accounts of its own: Identity Portal signs its users up and in (OpenID Connect)."""

import logging
import os
import secrets
import signal
import sys
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as Redirect

import accounts
from accounts import Account
from claims import answers, as_json

ISSUER = os.environ["OIDC_ISSUER"].rstrip("/")
BASE_URL = os.environ["BASE_URL"].rstrip("/")
PORT = int(os.environ.get("PORT") or 8001)
if ca_file := os.environ.get("CA_FILE"):
    os.environ["REQUESTS_CA_BUNDLE"] = ca_file  # Authlib asks with requests, which heeds this before anything else

app = Flask(__name__)
app.config.update(
    APP_NAME=os.environ.get("APP_NAME") or "Woodgrove Supplier Portal",
    SECRET_KEY=os.environ["SECRET_KEY"],
    # Browsers share cookies between the ports of a host name, so each application needs a name of its own.
    SESSION_COOKIE_NAME=f"woodgrove_session_{PORT}",
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=BASE_URL.startswith("https:"),
)
portal = OAuth(app).register(
    "portal",
    client_id=os.environ["OIDC_CLIENT_ID"],
    client_secret=os.environ["OIDC_CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256", "default_timeout": 10},
)
ATTEMPT = "_state_portal_"  # and the state: where Authlib keeps a sign-in that has begun, in the session


@app.get("/")
def home() -> str:
    return render_template("home.html", account=current_account())


@app.get("/sign-in")
def sign_in() -> Redirect:
    # An attempt that was given up stays in the cookie for an hour, and the cookie must not outgrow its 4 kB.
    attempts = [name for name in session if name.startswith(ATTEMPT)]
    for name in sorted(attempts, key=lambda name: float(session[name]["exp"]))[:-2]:
        del session[name]
    answer: Redirect = portal.authorize_redirect(f"{BASE_URL}/signin-oidc")
    return answer


@app.get("/signin-oidc")
def return_from_portal() -> Redirect:
    if ATTEMPT + request.args.get("state", "") not in session:
        if current_account():  # the back button, or the same page loaded twice
            return redirect(url_for("account"))
        raise OAuthError("unknown_state")  # before anything else in the address is used or shown
    token = portal.authorize_access_token()  # verifies signature, issuer, audience, times and nonce of the ID token
    session["account"] = accounts.keep(Account(dict(token["userinfo"]), token["id_token"]))
    return redirect(url_for("account"))


@app.get("/account")
def account() -> str | Redirect:
    if not (signed_in := current_account()):
        return redirect(url_for("home"))
    claims = signed_in.claims
    return render_template("account.html", account=signed_in, answers=answers(claims), claims_json=as_json(claims))


@app.post("/sign-out")
def sign_out() -> Redirect:
    if not (signed_in := current_account()):
        return redirect(url_for("home"))
    if not secrets.compare_digest(request.form.get("token", "").encode(), signed_in.sign_out_token.encode()):
        abort(400)
    accounts.forget(session["account"])
    session.clear()
    answer: Redirect = portal.logout_redirect(f"{BASE_URL}/signed-out", id_token_hint=signed_in.id_token)
    return answer


@app.get("/signed-out")
def signed_out() -> str | Redirect:
    try:
        portal.validate_logout_response()
    except OAuthError:  # not the answer to our question: say nothing about who is signed in where
        return redirect(url_for("home"))
    return render_template("signed_out.html")


def current_account() -> Account | None:
    return accounts.find(session.get("account", ""))


@app.errorhandler(AuthlibBaseError)
@app.errorhandler(JoseError)
def not_signed_in(error: AuthlibBaseError | JoseError) -> tuple[str, int]:
    return render_template("not_signed_in.html", error=error), 400


@app.errorhandler(RequestException)
def portal_unreachable(error: RequestException) -> tuple[str, int]:
    app.logger.error("The portal does not answer: %s", error)
    return render_template("error.html", title="The sign-in service does not answer"), 503


@app.errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[str, int]:
    return render_template("error.html", title=error.name), error.code or 500


@app.after_request
def protect(response: Response) -> Response:
    # Signing out posts a form here, which leads to the portal: browsers hold the whole chain against form-action.
    issuer = urlsplit(ISSUER)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {issuer.scheme}://{issuer.netloc}"
    )
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    certificate, key = os.environ.get("TLS_CERT"), os.environ.get("TLS_KEY")
    tls = (certificate, key) if certificate and key else None
    host = os.environ.get("HOST") or "127.0.0.1"
    make_server(host, PORT, app, threaded=True, ssl_context=tls).serve_forever()


if __name__ == "__main__":
    main()
