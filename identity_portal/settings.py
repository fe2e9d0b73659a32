"""All settings, read from the environment. The README lists every variable.

PORTAL_MODE chooses between production (the default: nothing is assumed), demo and test.
"""

import base64
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

PORTAL_MODE = env.str("PORTAL_MODE", default="production")
if PORTAL_MODE not in ("production", "demo", "test"):
    raise ImproperlyConfigured("PORTAL_MODE is production, demo or test.")
DEMO = PORTAL_MODE == "demo"
TEST = PORTAL_MODE == "test"

DEBUG = False
TEST_SECRET = "only-the-test-suite-uses-this-secret-key-and-nothing-else"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", default=TEST_SECRET) if TEST else env.str("SECRET_KEY")
# Whoever guesses it signs people in: neither short, nor repeated, nor copied from somewhere.
_is_guessable = len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or "insecure" in SECRET_KEY
if PORTAL_MODE == "production" and (_is_guessable or SECRET_KEY == TEST_SECRET):
    raise ImproperlyConfigured("SECRET_KEY must be 50 or more random characters in production.")
TEST_ENCRYPTION_KEY = "test:" + base64.b64encode(b"the test suite's own key, 32 byt").decode()
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[TEST_ENCRYPTION_KEY]) if TEST else env.list("ENCRYPTION_KEYS")
if not TEST and TEST_ENCRYPTION_KEY in ENCRYPTION_KEYS:
    raise ImproperlyConfigured("ENCRYPTION_KEYS has the test suite's key, which everybody knows.")


def origin(url: str) -> SplitResult:
    """Take apart an origin as browsers write it: whatever else stood in it would not match what they send."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured("BASE_URL is not a URL.") from error
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    named_port = "" if port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{port}"
    if not host or parts.scheme not in ("http", "https") or url != f"{parts.scheme}://{host}{named_port}":
        raise ImproperlyConfigured(
            "BASE_URL is an origin in lower case, such as https://id.example.org, without a path."
        )
    return parts


# The origin that people and applications see. Issuers are built from it and never from a Host header.
BASE_URL = (env.str("BASE_URL", default="http://testserver") if TEST else env.str("BASE_URL")).rstrip("/")
_origin = origin(BASE_URL)
IS_HTTPS = _origin.scheme == "https"
if PORTAL_MODE == "production" and not IS_HTTPS:
    raise ImproperlyConfigured("BASE_URL must begin with https:// in production.")
ALLOWED_HOSTS = [_origin.hostname, *env.list("ALLOWED_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_tasks",
    "django_tasks_db",
    "django_countries",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "oauth2_provider",
    "directory",
    "userflows",
    "identity_portal",
    "identity_portal.oidc",
    *(["identity_portal.demo"] if DEMO else []),
]

MIDDLEWARE = [
    "identity_portal.proxy.TrustedProxyMiddleware",
    "identity_portal.correlation.CorrelationMiddleware",
    "identity_portal.security_headers.SecurityHeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "identity_portal.tenancy.TenantMiddleware",
    "identity_portal.tenancy.TenantSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "identity_portal.tenancy.TenantCsrfMiddleware",
    "identity_portal.tenancy.TenantUserMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "identity_portal.errors.RefusalMiddleware",
]

ROOT_URLCONF = "identity_portal.urls"
TENANT_URLCONF = "identity_portal.tenant_urls"
WSGI_APPLICATION = "identity_portal.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "identity_portal.context_processors.portal",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASE_URL_DEFAULT = f"sqlite:///{VAR_DIR / 'portal.sqlite3'}"
DATABASES = {"default": env.db("DATABASE_URL", default=DATABASE_URL_DEFAULT)}
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=8)
# The demo shows everybody's mail on a public page.
if DEMO and (DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3" or env.str("EMAIL_URL", default="")):
    raise ImproperlyConfigured("PORTAL_MODE=demo runs on SQLite and sends no mail: unset DATABASE_URL and EMAIL_URL.")
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE takes the write lock when a transaction begins, so that select_for_update means what it says.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
elif not TEST:
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 10}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People and sessions
AUTH_USER_MODEL = "directory.User"
AUTHENTICATION_BACKENDS = ["identity_portal.tenancy.TenantBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "directory.secret_hasher.ClientSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("mail", "display_name", "given_name", "surname")},
    },
]
# How long a one-time link works (directory.one_time_link).
PASSWORD_RESET_TIMEOUT = 72 * 3600

# Second factors (django-allauth): what it stores and computes. None of its pages is mounted, and its accounts are not
# ours: an address is unique in a tenant, not everywhere.
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = "id"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "mail"
ACCOUNT_EMAIL_VERIFICATION = "none"
# Sign-in at other providers: it does the handshakes, and stores nothing (userflows.federation).
SOCIALACCOUNT_ADAPTER = "userflows.federation.adapter.FederationAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_QUERY_EMAIL = True
MFA_ADAPTER = "identity_portal.second_factor.SealingAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Clocks differ: a code of the step before or after counts, too. Each code counts once.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10

SESSION_ENGINE = "directory.session_store"
# Names of our own, so that a relying party on the same host name doesn't overwrite them.
SESSION_COOKIE_NAME = "portal_session"
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=24 * 3600)
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "portal_csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "identity_portal.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# The web
SECURE_SSL_REDIRECT = IS_HTTPS and env.bool("SSL_REDIRECT", default=not DEMO)
# Load balancers ask over http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if PORTAL_MODE == "production" else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=PORTAL_MODE == "production")
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=PORTAL_MODE == "production")
SECURE_CONTENT_TYPE_NOSNIFF = True
# With no-referrer, Chromium sends "Origin: null" on form posts and the CSRF check refuses them.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# SecurityHeadersMiddleware sets it where it helps: on hosted pages it would break sign-in in a pop-up window.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

# Requests of our own (directory.outgoing): the networks that are open besides the public internet.
LOOPBACK = ["127.0.0.0/8", "::1/128"]
OUTGOING_NETWORKS = env.list("OUTGOING_NETWORKS", default=[] if PORTAL_MODE == "production" else LOOPBACK)
try:
    OUTGOING_NETWORKS = [str(ip_network(network.strip())) for network in OUTGOING_NETWORKS]
except ValueError as error:
    raise ImproperlyConfigured(f"OUTGOING_NETWORKS lists networks such as 10.0.0.0/8: {error}") from error
# Stand-ins for Google and the like, by kind of identity provider: {"Google": {"issuer": "http://127.0.0.1:1234"}}.
PROVIDER_ENDPOINTS = env.json("PROVIDER_ENDPOINTS", default={})
if PROVIDER_ENDPOINTS and PORTAL_MODE == "production":
    raise ImproperlyConfigured(
        "PROVIDER_ENDPOINTS puts stand-ins in the place of identity providers: not in production."
    )

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TEST
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# The tests look a static file up when it is asked for: listing all 400 cost every test more than its first page did.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = TEST

# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
COUNTRIES_FIRST_SORT = True

# Mail
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Identity Portal <no-reply@{_origin.hostname}>")
OUTBOX_DIR = VAR_DIR / "outbox"
if DEMO:
    EMAIL_BACKEND = "identity_portal.demo.outbox.OutboxBackend"
elif not TEST:
    vars().update(env.email("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 20
TASKS_BACKENDS = {
    "database": "django_tasks_db.DatabaseBackend",
    "immediate": "django_tasks.backends.immediate.ImmediateBackend",
}
TASKS_BACKEND = env.str("TASKS_BACKEND", default="database" if PORTAL_MODE == "production" else "immediate")
if TASKS_BACKEND not in TASKS_BACKENDS:
    raise ImproperlyConfigured("TASKS_BACKEND is database or immediate.")
TASKS = {"default": {"BACKEND": TASKS_BACKENDS[TASKS_BACKEND]}}

# Tokens (django-oauth-toolkit)
OAUTH2_PROVIDER_APPLICATION_MODEL = "directory.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "oidc.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oidc.AccessToken"  # noqa: S105
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "oidc.RefreshToken"  # noqa: S105
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "oidc.IDToken"  # noqa: S105
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "oidc.DeviceGrant"
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OAUTH2_VALIDATOR_CLASS": "identity_portal.oidc.validator.Validator",
    "OAUTH2_BACKEND_CLASS": "identity_portal.oidc.backend.Backend",
    "ACCESS_TOKEN_GENERATOR": "identity_portal.oidc.tokens.make_access_token",
    # Without it the library makes refresh tokens with the function above: signed, and good as access tokens elsewhere.
    "REFRESH_TOKEN_GENERATOR": "identity_portal.oidc.tokens.make_refresh_token",
    "SCOPES": {
        "openid": "Sign you in",
        "profile": "See your name and the answers you gave at sign-up",
        "email": "See your email address",
        "offline_access": "Keep access while you are away",
    },
    "DEFAULT_SCOPES": ["openid"],
    "CLIENT_SECRET_HASHER": "sha256_secret",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 24 * 3600,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
}
SILENCED_SYSTEM_CHECKS = [
    # Django's CSRF middleware is there under the name TenantCsrfMiddleware.
    "security.W003",
    # The authorize view adds `iss` itself, also to errors: the library's is the wrong issuer and on success only.
    "oauth2_provider.W005",
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"correlation": {"()": "identity_portal.correlation.CorrelationFilter"}},
    "formatters": {
        "json": {"()": "identity_portal.correlation.JsonFormatter"},
        "plain": {"format": "{levelname} {name} {message} [{correlation_id}]", "style": "{"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["correlation"],
            "formatter": "json" if PORTAL_MODE == "production" else "plain",
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
    # It writes down whole addresses, and Facebook wants the client secret and the access token in them.
    "loggers": {"urllib3": {"level": "WARNING"}},
}
