"""`make demo`: the portal and two sample applications on this machine, with nothing from outside.

Runs without Django: it makes the demo's own keys, then starts Django and the applications as processes of their own.
"""

import argparse
import base64
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("VAR_DIR") or ROOT / "var")
KEYS = VAR / "demo-keys.json"
SAMPLES = ("Woodgrove Supplier Portal", "Woodgrove Order Tracker")
READY_WITHIN_SECONDS = 60
# What only a production portal is given: the demo would use its data with codes on a public page.
PRODUCTION_SETTINGS = ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "EMAIL_URL", "BASE_URL")


@dataclass(frozen=True)
class Place:
    """Where the demo listens, from HOST, PORT, APP_PORT, TLS_CERT and TLS_KEY."""

    host: str
    port: int
    app_port: int
    certificate: str
    key: str

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    @property
    def portal_url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def bind_address(self) -> str:
        return "127.0.0.1" if self.host in ("localhost", "127.0.0.1") else "0.0.0.0"  # noqa: S104 - HOST asks for it

    def sample_url(self, index: int) -> str:
        return f"{self.scheme}://{self.host}:{self.app_port + index}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--reset", action="store_true", help="forget everything that the demo has stored")
    if parser.parse_args().reset:
        forget()
        return
    refuse_production()
    place = place_from_environment()
    refuse_taken_ports(place)
    environment = portal_environment(place)
    prepare(place, environment)
    run(place, environment)


def forget() -> None:
    for path in (VAR / "demo.sqlite3", VAR / "demo.sqlite3-wal", VAR / "demo.sqlite3-shm", VAR / "demo.json", KEYS):
        path.unlink(missing_ok=True)
    shutil.rmtree(VAR / "outbox", ignore_errors=True)
    print("The demo's data is gone.")


def refuse_production() -> None:
    given = [name for name in PRODUCTION_SETTINGS if os.environ.get(name)]
    if given or os.environ.get("PORTAL_MODE", "demo") != "demo":
        found = ", ".join(given) or "PORTAL_MODE"
        sys.exit(f"The demo shows everybody's mail, so it does not start with a production setting: unset {found}.")


def place_from_environment() -> Place:
    certificate, key = os.environ.get("TLS_CERT", ""), os.environ.get("TLS_KEY", "")
    if bool(certificate) != bool(key):
        sys.exit("TLS_CERT and TLS_KEY go together.")
    return Place(
        host=os.environ.get("HOST") or "localhost",
        port=int(os.environ.get("PORT") or 8000),
        app_port=int(os.environ.get("APP_PORT") or 8001),
        certificate=str(Path(certificate).resolve()) if certificate else "",
        key=str(Path(key).resolve()) if key else "",
    )


def refuse_taken_ports(place: Place) -> None:
    """Before anything is started: otherwise another program's answer would pass for ours."""
    for port in (place.port, *(place.app_port + index for index in range(len(SAMPLES)))):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((place.bind_address, port))
            except OSError:
                sys.exit(f"Port {port} is taken. Choose others, like this: make demo PORT=9000 APP_PORT=9001")


def demo_keys() -> dict[str, str]:
    """Return the keys of this demo, made at its first start and kept until it is reset."""
    if not KEYS.exists():
        VAR.mkdir(parents=True, exist_ok=True)
        KEYS.touch(mode=0o600)
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": "demo:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "SAMPLES": secrets.token_urlsafe(50),
        }
        KEYS.write_text(json.dumps(keys))
    return dict(json.loads(KEYS.read_text()))


def portal_environment(place: Place) -> dict[str, str]:
    keys = demo_keys()
    return {
        **os.environ,
        "PORTAL_MODE": "demo",
        "VAR_DIR": str(VAR),
        "BASE_URL": place.portal_url,
        "DATABASE_URL": f"sqlite:///{VAR / 'demo.sqlite3'}",
        "SECRET_KEY": keys["SECRET_KEY"],
        "ENCRYPTION_KEYS": keys["ENCRYPTION_KEYS"],
        "PYTHONPATH": str(ROOT),
    }


def prepare(place: Place, environment: dict[str, str]) -> None:
    samples = [part for index, name in enumerate(SAMPLES) for part in ("--application", name, place.sample_url(index))]
    command = [sys.executable, "manage.py", "prepare_demo", *samples]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603


def portal_command(place: Place) -> list[str]:
    tls = ["--ssl-certificate", place.certificate, "--ssl-keyfile", place.key] if place.certificate else []
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", place.bind_address),
        *("--port", str(place.port), "--workers", "1", "--blocking-threads", "4", "--log-level", "warning"),
        *tls,
        "identity_portal.wsgi:application",
    ]


def sample_environment(place: Place, index: int, told: dict[str, object]) -> dict[str, str]:
    clients = told["clients"]
    client = clients[index]  # type: ignore[index]
    environment = {
        **{name: value for name, value in os.environ.items() if name not in PRODUCTION_SETTINGS},
        "APP_NAME": client["name"],
        "OIDC_ISSUER": str(told["flow_issuer"]),
        "OIDC_CLIENT_ID": client["client_id"],
        "OIDC_CLIENT_SECRET": client["client_secret"],
        "BASE_URL": client["url"],
        "SECRET_KEY": f"{demo_keys()['SAMPLES']}{index}",
        "HOST": place.bind_address,
        "PORT": str(place.app_port + index),
    }
    if place.certificate:
        environment |= {"TLS_CERT": place.certificate, "TLS_KEY": place.key}
        environment["CA_FILE"] = os.environ.get("TLS_CA") or place.certificate
    return environment


def run(place: Place, environment: dict[str, str]) -> None:
    """Start everything, say where it is, and wait until somebody stops it or one of them ends."""
    told = json.loads((VAR / "demo.json").read_text())
    processes = [subprocess.Popen(portal_command(place), cwd=ROOT, env=environment)]  # noqa: S603
    signal.signal(signal.SIGTERM, _stop)
    try:
        wait_until_ready(f"{place.portal_url}/readyz", processes[0])
        for index in range(len(SAMPLES)):
            command = [sys.executable, str(ROOT / "examples" / "web" / "app.py")]
            sample = sample_environment(place, index, told)
            processes.append(subprocess.Popen(command, cwd=ROOT, env=sample))  # noqa: S603
        for index, process in enumerate(processes[1:]):
            wait_until_ready(place.sample_url(index), process)
        tell(place, told)
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        print("\nStopping.")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    # The certificate may be for a name that is not this machine's; only whether it answers is asked.
    context = ssl._create_unverified_context()  # noqa: S323, SLF001
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(url, timeout=2, context=context):  # noqa: S310 - our own address
                return
        except (URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"{url} does not answer. Is its port free? Choose others with PORT=… and APP_PORT=….")


def way_in(person: dict[str, str]) -> str:
    """Say how an administrator enters: nobody has a password before they set one."""
    if not person["one_time_link"]:
        return f"{person['email']}, with the password and the second factor that you have set up"
    return f"{person['email']} enters first by this link:\n    {person['one_time_link']}"


def tell(place: Place, told: dict[str, dict[str, str]]) -> None:
    admin, operator = told["admin"], told["operator"]
    print(
        f"""
Identity Portal is running.

  Sign up as a stranger   {place.sample_url(0)}   ({SAMPLES[0]})
  Sign in as a partner    {told["partner"]["email"]} is led to Contoso, another tenant
  A second application    {place.sample_url(1)}   ({SAMPLES[1]})
  The mails it sends      {told["outbox_url"]}
  Tenant administration   {admin["url"]}
                          {way_in(admin)}
  Platform operation      {operator["url"]}
                          {way_in(operator)}

All of this for programs: {VAR / "demo.json"}. Stop with Ctrl-C; `make demo-reset` forgets everything.
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
