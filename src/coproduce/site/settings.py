"""The one file that reads the environment. README.md lists what can be set; everything has a default that is safe."""

import contextlib
import os
import secrets
import sys
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

env = environ.Env()

# Where this installation keeps what people said: database, files as given, letters, the secret key.
VAR = Path(env.str("COPRODUCE_VAR", default="var")).resolve()
VAR.mkdir(parents=True, exist_ok=True, mode=0o700)

# Try-it mode: the demo town with sign-in links for its cast. Never beyond this machine (see site/try_it.py).
TRY_IT = env.bool("COPRODUCE_TRY_IT", default=False)
TESTING = "pytest" in sys.modules


def _secret_key() -> str:
    """The key of this installation, made at first start and kept beside its data."""
    kept = VAR / "secret-key"
    if not kept.exists():
        # Written in full before it gets its name: whoever starts at the same time reads a whole key, and the same.
        made = VAR / f"secret-key.{os.getpid()}"
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(50))
        with contextlib.suppress(FileExistsError):
            os.link(made, kept)
        made.unlink()
    return kept.read_text()


DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="") or _secret_key()
PORT = env.int("PORT", default=8000)
ADDRESS = "" if TRY_IT else env.str("COPRODUCE_ADDRESS", default="")  # e.g. https://coproduce.example.org
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), "localhost", "127.0.0.1", "[::1]"]
if ADDRESS:
    ALLOWED_HOSTS.append(ADDRESS.split("://")[-1].split("/")[0].split(":")[0])
    CSRF_TRUSTED_ORIGINS = [ADDRESS]
if TRY_IT:
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
if TESTING:
    ALLOWED_HOSTS.append("testserver")

INSTALLED_APPS = [
    # The rooms, in the order of the house.
    "coproduce.people",
    "coproduce.glossary",
    "coproduce.voices",
    "coproduce.themes",
    "coproduce.agenda",
    "coproduce.changes",
    "coproduce.hearback",
    "coproduce.site",
    # What they stand on.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "treebeard",
]

MIDDLEWARE = [
    # First what goes on every answer, whoever gives it.
    "csp.middleware.CSPMiddleware",
    "coproduce.site.headers.on_every_answer",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "coproduce.site.try_it.only_this_machine",
    "coproduce.site.headers.not_too_large",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "coproduce.people.middleware.person_of_request",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "coproduce.people.sign_in.ask_for_second_step",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "coproduce.site.urls"
WSGI_APPLICATION = "coproduce.site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "coproduce.site.navigation.navigation",
            ],
            "builtins": ["coproduce.people.templatetags.plain"],
        },
    }
]
FORM_RENDERER = "coproduce.site.forms.Renderer"

# The town never goes into the database of a group. (The path of the file is not written as an address, where a
# space or a `#` in it would mean something else.)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR / "coproduce.sqlite3"}
}
if not TRY_IT and env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.db("DATABASE_URL")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: with Django's default, most concurrent read-then-write transactions fail as "locked".
    # FULL: what a page has acknowledged survives a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; "
        "PRAGMA secure_delete=ON;",  # what is deleted is overwritten, not only forgotten
    }
    if TESTING:  # a file, as in life; what a test wrote need not survive a power cut
        DATABASES["default"]["TEST"] = {"NAME": str(VAR / f"test-{os.getpid()}.sqlite3")}
        DATABASES["default"]["OPTIONS"]["init_command"] = (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON;"
        )
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    # Our questions are long, and what they find is little: PostgreSQL took seconds to compile the one of who is to
    # be told now, and a tenth of a second to answer it.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    # Files as given and letters. Never served by address: only through a view that asks visible_to.
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
LARGEST_REQUEST = 32 * 1024 * 1024  # refused before it is read
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Limits and used-up sums, shared by every process. What is culled is forgotten, so there is room for a flood.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}

# Messages. In try-it mode, and until EMAIL_URL says where to, every email becomes a file in var/mail.
EMAIL_IS_SET_UP = bool(env.str("EMAIL_URL", default="")) and not TRY_IT
vars().update(env.email_url("EMAIL_URL") if EMAIL_IS_SET_UP else env.email_url_config("filemail://"))
EMAIL_FILE_PATH = VAR / "mail"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="Coproduce <coproduce@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SENDER_NAME = parseaddr(DEFAULT_FROM_EMAIL)[0] or "Coproduce"
MESSAGE_DOMAIN = parseaddr(DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"

# Text messages and letters. In try-it mode texts become files as well, in var/texts.
NOTIFY_API_KEY = "" if TRY_IT else env.str("NOTIFY_API_KEY", default="")
NOTIFY_BASE_URL = env.str("NOTIFY_BASE_URL", default="https://api.notifications.service.gov.uk")
NOTIFY_TEMPLATES = {
    "email": env.str("NOTIFY_EMAIL_TEMPLATE", default=""),
    "text": env.str("NOTIFY_TEXT_TEMPLATE", default=""),
    "letter": env.str("NOTIFY_LETTER_TEMPLATE", default=""),
}
NOTIFY_CALLBACK_TOKEN = env.str("NOTIFY_CALLBACK_TOKEN", default="")
SMS_URL = f"file://{VAR / 'texts'}" if TRY_IT else env.str("SMS_URL", default="")
SMS_TOKEN = env.str("SMS_TOKEN", default="")
SMS_KEYS_ARE_HONOURED = env.bool("SMS_KEYS_ARE_HONOURED", default=False)
SMS_CALLBACK_TOKEN = env.str("SMS_CALLBACK_TOKEN", default="")
# How many messages a minute go by each way, at most: "email=600,text=60". Without a number: as fast as they are taken.
SEND_RATE = {way: float(rate) for way, rate in env.dict("SEND_RATE", default={}).items()}

# What people write back. REPLY_TO is our own address that answers go to, with a "+" and a mark for each; IMAP_URL is
# the mailbox where they arrive, like imaps://name:password@mail.example.org/INBOX. INBOUND_TOKEN lets others hand in
# emails and texts that came (see README.md).
REPLY_TO = "" if TRY_IT else env.str("REPLY_TO", default="")
IMAP_URL = "" if TRY_IT else env.str("IMAP_URL", default="")
INBOUND_TOKEN = "" if TRY_IT else env.str("INBOUND_TOKEN", default="")

# Signing in: a code by email or a passkey, no passwords. See people/accounts.py and people/sign_in.py.
AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
# Roles that open what others said take a second step. In try-it mode there is nothing to guard.
SECOND_FACTOR_FOR_STAFF = not TRY_IT
ACCOUNT_ADAPTER = "coproduce.people.accounts.Adapter"
ACCOUNT_FORMS = {
    "request_login_code": "coproduce.people.sign_in.AskForCodeForm",
    "confirm_login_code": "coproduce.people.sign_in.CodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "60/h/ip,3/m/key,12/h/key",
    "login_failed": "10/m/ip,5/300s/key",  # wrong second steps
}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
MFA_ADAPTER = "coproduce.people.accounts.MFAAdapter"
MFA_FORMS = {
    "add_webauthn": "coproduce.people.sign_in.PasskeyForm",
    "edit_webauthn": "coproduce.people.sign_in.PasskeyNameForm",
    "authenticate": "coproduce.people.sign_in.SecondStepForm",
    "reauthenticate": "coproduce.people.sign_in.SecondStepAgainForm",
    "activate_totp": "coproduce.people.sign_in.AppForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "/"

SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL = ADDRESS.startswith("https://")
# How many proxies of ours stand before this and say, in X-Forwarded-For, who knocks. https is made by one.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("COPRODUCE_PROXIES", default=1 if SECURE_SSL else 0)
if SECURE_SSL:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Browsers' own list of https-only domains is for the owner of the domain to enter it on, not for one address in it.
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
TIME_ZONE = "Europe/London"
USE_TZ = True

MESSAGE_TAGS = {40: "error"}
# Everything goes to where the server was started from. `coproduce.security` says who signed in and what was refused,
# by the number of an account and the hash of a network address: never names, never words.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "dated": {
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "dated"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"coproduce.security": {"level": "INFO"}},
}
