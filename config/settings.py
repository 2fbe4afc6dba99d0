"""Settings of the node, all from the environment (documented in `.env.example`).

The same code runs embedded (SQLite, in-memory broker) and in production (PostgreSQL, Redis); what differs is here.
"""

from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- who we are -----------------------------------------------------------------------------------------------------

NODE_URL: str = env.str("NODE_URL", "http://127.0.0.1:8000").rstrip("/")
NODE_PARTIES: str = env.str("NODE_PARTIES", "CPO:NL*OCP:Example Charging,EMSP:NL*OSP:Example Mobility")
NODE_ALLOW_PRIVATE_URLS: bool = env.bool("NODE_ALLOW_PRIVATE_URLS", False)
NODE_PARTNER_TIMEOUT: int = env.int("NODE_PARTNER_TIMEOUT", 10)
NODE_AUTHORIZE_TIMEOUT: float = env.float("NODE_AUTHORIZE_TIMEOUT", 5.0)
NODE_AGREEMENTS_REQUIRED: bool = env.bool("NODE_AGREEMENTS_REQUIRED", False)
NODE_AUTHORIZE_UNKNOWN: bool = env.bool("NODE_AUTHORIZE_UNKNOWN", True)
NODE_TOKEN_GRACE: int = env.int("NODE_TOKEN_GRACE", 24 * 3600)
NODE_PAGE_LIMIT: int = env.int("NODE_PAGE_LIMIT", 1000)
NODE_MAX_BODY: int = env.int("NODE_MAX_BODY", 4 * 1024 * 1024)
NODE_THREADS: int = env.int("NODE_THREADS", 4)
NODE_LOG_DAYS: int = env.int("NODE_LOG_DAYS", 30)
NODE_LOG_BODY: int = env.int("NODE_LOG_BODY", 4096)
NODE_LOG_MASK: bool = env.bool("NODE_LOG_MASK", False)
NODE_QUIET: int = env.int("NODE_QUIET", 300)
NODE_IN_FLIGHT: int = env.int("NODE_IN_FLIGHT", 500)
# Seconds that a change may wait for its acknowledgement, by stream (roaming/delivery/lateness.py).
NODE_FRESHNESS: str = env.str(
    "NODE_FRESHNESS",
    "statuses=60,sessions=300,cdrs=3600,tokens=3600,hubclientinfo=300,tariffs=3600,locations=3600",
)
NODE_RATES: str = env.str("NODE_RATES", "authorize=600,commands=300,lists=120/3000,objects=6000/100000,other=600")

# --- chargers -------------------------------------------------------------------------------------------------------

# Whether this process takes connections of chargers: in production, those called `ocpp` in the Procfile do.
NODE_CHARGERS: bool = env.bool("NODE_CHARGERS", True)
OCPP_HEARTBEAT: int = env.int("OCPP_HEARTBEAT", 300)
OCPP_OFFLINE_GRACE: int = env.int("OCPP_OFFLINE_GRACE", 90)
# Seconds after a charger has (re)connected before it is asked for what it has not told by itself.
OCPP_SETTLE: float = env.float("OCPP_SETTLE", 30.0)
# Seconds: between updates of a Session, from a stop to its CDR, for which a connector may be Available before the
# transaction that is open there is ended, and after an end for which facts may still change the CDR.
OCPP_SESSION_EVERY: int = env.int("OCPP_SESSION_EVERY", 30)
OCPP_CDR_DELAY: int = env.int("OCPP_CDR_DELAY", 5)
OCPP_FREE_GRACE: int = env.int("OCPP_FREE_GRACE", 120)
OCPP_LATE_FACTS: int = env.int("OCPP_LATE_FACTS", 30 * 24 * 3600)
# Whether chargers get local lists of the tokens that may charge offline; seconds from a change of Tokens to the lists.
OCPP_LOCAL_LISTS: bool = env.bool("OCPP_LOCAL_LISTS", True)
OCPP_LOCAL_LIST_DELAY: int = env.int("OCPP_LOCAL_LIST_DELAY", 300)
# Days after a transaction: until its meter values, and what was told of it word for word, are forgotten; 0: never.
OCPP_SAMPLE_DAYS: int = env.int("OCPP_SAMPLE_DAYS", 400)
OCPP_EVIDENCE_DAYS: int = env.int("OCPP_EVIDENCE_DAYS", 1100)
# Whether chargers that can are told what a session costs.
OCPP_SHOW_COST: bool = env.bool("OCPP_SHOW_COST", True)
# Files of chargers: where they are kept, the URL at which chargers reach us, bytes of one, days that diagnostics stay.
OCPP_FILES_DIR = Path(env.str("OCPP_FILES_DIR", str(VAR_DIR / "charger-files")))
OCPP_FILES_URL: str = env.str("OCPP_FILES_URL", NODE_URL).rstrip("/")
OCPP_FILE_LIMIT: int = env.int("OCPP_FILE_LIMIT", 512 * 1024 * 1024)
OCPP_FILE_DAYS: int = env.int("OCPP_FILE_DAYS", 90)
OCPP_PLUGGED_WAIT: int = env.int("OCPP_PLUGGED_WAIT", 180)
OCPP_RATE: int = env.int("OCPP_RATE", 60)
# Threads of a process with chargers, each with a database connection: for the database, and to wait for partners.
OCPP_THREADS: int = env.int("OCPP_THREADS", 8)
OCPP_PARTNER_THREADS: int = env.int("OCPP_PARTNER_THREADS", 32)
OCPP_MIN_PROFILE: int = env.int("OCPP_MIN_PROFILE", 2 if NODE_URL.startswith("https://") else 1)
# The password with which a charger that nobody registered may connect and wait for staff; empty: it may not.
OCPP_COMMISSIONING_KEY: str = env.str("OCPP_COMMISSIONING_KEY", "")
# The header in which the proxy tells the identity in a client certificate; it must remove what clients send there.
OCPP_CERTIFICATE_HEADER: str = env.str("OCPP_CERTIFICATE_HEADER", "")

# --- security -------------------------------------------------------------------------------------------------------

DEBUG: bool = env.bool("DEBUG", False)
INSECURE_KEY = "insecure-laboratory-key-change-me"
SECRET_KEY: str = env.str("SECRET_KEY", INSECURE_KEY)
# Fernet keys, newest first; the first encrypts, all decrypt. Empty in a laboratory: derived from SECRET_KEY.
FIELD_KEYS: list[str] = env.list("FIELD_KEYS", default=[])
# Whoever presents it as a Bearer token may read /metrics; empty: everybody who can reach the node.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", "")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS: list[str] = [NODE_URL] if NODE_URL.startswith("https://") else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if NODE_URL.startswith("https://"):
    if INSECURE_KEY == SECRET_KEY or not FIELD_KEYS or DEBUG:
        raise ImproperlyConfigured("an https node needs its own SECRET_KEY and FIELD_KEYS, and DEBUG off")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", False)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
X_FRAME_OPTIONS = "DENY"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"

# --- applications ---------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "auditlog",
    "axes",
    "import_export",
    "ocpi",
    "roaming",
    "cpo_backend",
    "config",
]
# The first two answer everything below /ocpi/; what follows is for staff.
MIDDLEWARE = [
    "ocpi.api.middleware.MessageMiddleware",
    "ocpi.modules.mount.OcpiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True
# The OCPI views bound their own bodies (NODE_MAX_BODY) and answer with an envelope; see ocpi/api/views.py.
DATA_UPLOAD_MAX_MEMORY_SIZE = NODE_MAX_BODY

# --- database -------------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'node.sqlite3'}")
}
_database = DATABASES["default"]
IS_SQLITE: bool = _database["ENGINE"].endswith("sqlite3")
_database["CONN_MAX_AGE"] = None if IS_SQLITE else 600
if IS_SQLITE:
    # IMMEDIATE: a transaction that reads first and writes later would otherwise fail at once instead of waiting.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
    if _database["NAME"] and _database["NAME"] != ":memory:":
        Path(_database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    _database["ENGINE"] = "config.postgres"
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {"server_side_binding": True, "prepare_threshold": 3}

# --- OCPI -----------------------------------------------------------------------------------------------------------

# The ports of ocpi/ports.py, bound by dotted path; tests swap them with the `settings` fixture.
OCPI: dict[str, str] = {
    "directory": "roaming.directory.directory",
    "registrar": "roaming.registration.registrar",
    "gateway": "roaming.hub.gateway.gateway",
    "commands": "roaming.commands.desk.commands",
    "authorizer": "roaming.authorization.desk.authorizer",
    "exchange_log": "roaming.exchanges.log.exchange_log",
    "charge_points": "cpo_backend.control.charge_points",
}
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
}

SPECTACULAR_SETTINGS = {
    "TITLE": "OCPI roaming node",
    "DESCRIPTION": "OCPI 2.2.1: every module, Sender and Receiver.",
    "VERSION": "2.2.1",
    "OAS_VERSION": "3.1.1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["ocpi.api.schema.expand"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "credentialsToken": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "The word Token, a space, and the credentials token in base64",
            }
        }
    },
}

# --- Celery ---------------------------------------------------------------------------------------------------------

REDIS_URL: str = env.str("REDIS_URL", "")
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
# Redis: a task is off the queue once it is fetched. To acknowledge it afterwards needs the connection it came by, and
# where that has gone the attempt ends the worker (celery 5.7.0); what a dead worker had, beat repeats anyway.
# Embedded: kombu's in-memory transport polls once a second unless told otherwise.
CELERY_BROKER_TRANSPORT_OPTIONS = {"ack_emulation": False} if REDIS_URL else {"polling_interval": 0.02}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:LeasedScheduler"
# Work is a row before it is a task (DESIGN section 2.5); these sweeps repair every lost wake-up.
CELERY_BEAT_SCHEDULE = {
    "wake lanes that are behind": {
        "task": "roaming.tasks.wake_lanes",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "repair lost wake-ups of the tariff lab": {
        "task": "roaming.tasks.work_in_lab",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "audit CDRs that came in": {
        "task": "roaming.tasks.audit_cdrs",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    # Late enough that the month is over in every time zone.
    "draw up the settlements of the month that ended": {
        "task": "roaming.tasks.draft_settlements",
        "schedule": crontab(day_of_month="2", hour="2", minute="37"),
    },
    "end commands that timed out, deliver results that are due": {
        "task": "roaming.tasks.sweep_commands",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    # Each platform and module has its own interval and hour (pull schedules); this looks whose time has come.
    "pull what is due": {
        "task": "roaming.tasks.pull_due",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "judge the quarantine again": {
        "task": "roaming.tasks.retry_quarantine",
        "schedule": crontab(hour="4", minute="57"),
    },
    "probe platforms that are quiet or OFFLINE": {
        "task": "roaming.tasks.probe_due",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "forget old pull runs": {
        "task": "roaming.tasks.prune_runs",
        "schedule": crontab(hour="3", minute="17"),
    },
    "forget old commands": {
        "task": "roaming.tasks.prune_commands",
        "schedule": crontab(hour="3", minute="27"),
    },
    "note which platforms are behind": {
        "task": "roaming.tasks.sound_alarms",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget old delivery hours": {
        "task": "roaming.tasks.prune_delivery_hours",
        "schedule": crontab(hour="3", minute="7"),
    },
    "block tokens that have expired": {
        "task": "roaming.tasks.expire_tokens",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "warn of agreements that end": {
        "task": "roaming.tasks.warn_of_ending_agreements",
        "schedule": crontab(hour="6", minute="7"),
    },
    "forget old authorizations": {
        "task": "roaming.tasks.prune_authorizations",
        "schedule": crontab(hour="3", minute="37"),
    },
    "chargers: dead processes, commands that nobody ends, EVSEs that nobody judged": {
        "task": "cpo_backend.tasks.sweep_chargers",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "repair lost wake-ups of Sessions and CDRs, end transactions whose stop was lost": {
        "task": "cpo_backend.tasks.make_bills",
        "schedule": 2.0,
        "options": {"expires": 2},
    },
    "bring the local lists of chargers up to date": {
        "task": "cpo_backend.tasks.push_local_lists",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "forget old OCPP messages and commands": {
        "task": "cpo_backend.tasks.prune_chargers",
        "schedule": crontab(minute="57"),
    },
    "read the figures of our CDRs": {
        "task": "cpo_backend.tasks.follow_cdrs",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "draw up the statements of owners for the month that ended": {
        "task": "cpo_backend.tasks.draft_owner_statements",
        "schedule": crontab(day_of_month="2", hour="3", minute="47"),
    },
    "forget old exchanges": {
        "task": "roaming.tasks.prune_exchanges",
        "schedule": crontab(minute="47"),
    },
}

# --- logs -----------------------------------------------------------------------------------------------------------

LOG_LEVEL: str = env.str("LOG_LEVEL", "INFO")
LOG_FORMAT: str = env.str("LOG_FORMAT", "console" if DEBUG else "json")
LOGGING = logging_config(LOG_LEVEL, LOG_FORMAT)

# --- admin ----------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "OCPI node",
    "SITE_HEADER": "OCPI roaming node",
    "SITE_SUBHEADER": NODE_URL,
    "SITE_SYMBOL": "ev_station",
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [f"/{STATIC_URL}node/admin.css"],
    "DASHBOARD_CALLBACK": "config.dashboard.overview",
    "SIDEBAR": {"show_search": True, "navigation": "config.navigation.sidebar"},
}
