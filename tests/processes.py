"""The portal in a process of its own, with the environment that an operator gives it and nothing else."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def production(var_dir: Path, **changes: str | None) -> dict[str, str]:
    """Return the settings of a portal that is fit for production; None leaves one out."""
    settings: dict[str, str | None] = {
        "BASE_URL": "https://id.example.org",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": f"sqlite:///{var_dir / 'portal.sqlite3'}",
        "VAR_DIR": str(var_dir),
    }
    return {name: value for name, value in (settings | changes).items() if value is not None}


def run_python(*arguments: str, environment: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "identity_portal.settings", **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return run_python("manage.py", *arguments, environment=environment)
