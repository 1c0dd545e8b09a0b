"""The `coproduce` command: try it, serve it, work its queue."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="coproduce", description="Everyone who spoke hears what changed.")
    verbs = parser.add_subparsers(dest="verb", metavar="")
    demo = verbs.add_parser("demo", help="start the made-up town, with sign-in links, on this machine only")
    demo.add_argument("--fresh", action="store_true", help="throw the town away and build it again first")
    verbs.add_parser("serve", help="start it for a group of your own")
    worker = verbs.add_parser("worker", help="work the queue: send emails, make letters, take in long stories")
    worker.add_argument("--until-done", action="store_true", help="stop when the queue is empty")
    manage = verbs.add_parser("manage", help="a Django command, such as `coproduce manage migrate`", add_help=False)
    manage.add_argument("rest", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coproduce.site.settings")
    if asked.verb == "serve":
        return serve()
    if asked.verb == "worker":
        return work(asked.until_done)
    if asked.verb == "manage":
        _settings("group")
        from django.core.management import execute_from_command_line

        execute_from_command_line(["coproduce manage", *asked.rest])
        return 0
    return try_it(fresh=asked.verb == "demo" and asked.fresh)


def try_it(fresh: bool = False) -> int:
    """The demo town: its own database, sign-in links printed, and never beyond this machine."""
    host = os.environ.get("HOST", "127.0.0.1")
    if host not in LOOPBACK:
        print(f"Try-it mode lets anybody in as anyone, so it only listens on this machine, not on {host}.")
        print("For a group of your own use: ./run serve")
        return 2
    os.environ["COPRODUCE_TRY_IT"] = "1"
    var = _settings("demo")
    if fresh:
        shutil.rmtree(var, ignore_errors=True)
    _prepare()
    from coproduce.site import demo
    from coproduce.site.try_it import sign_in_links

    demo.load_once()
    address = f"http://localhost:{_port()}"
    lines = ["", "The town is open. Sign in as:"]
    lines += [f"  {name:<12} {address}{path}\n{'':15}{about}" for name, about, path in sign_in_links()]
    lines += ["", f"Emails become files in {var / 'mail'}", "Stop with Ctrl+C.", "", address]
    return _run(host, lines)


def serve() -> int:
    """For a group of your own: empty at first, and leads through setting up."""
    _settings("group")
    _prepare()
    from django.conf import settings

    from coproduce.site.set_up import set_up_path

    address = settings.ADDRESS or f"http://localhost:{_port()}"
    lines = [""]
    if path := set_up_path():
        lines += ["Nobody is here yet. Open this to set up your group:", f"  {address}{path}", ""]
    if not settings.EMAIL_IS_SET_UP:
        lines += [
            f"Email is not set up: messages and sign-in codes are written to {settings.EMAIL_FILE_PATH}",
            "and reach nobody. Set EMAIL_URL to send them (see README.md).",
            "",
        ]
    return _run(os.environ.get("HOST", "127.0.0.1"), [*lines, address])


def work(until_done: bool = False) -> int:
    _settings("group")
    import django

    django.setup()
    from coproduce.site import worker

    worker.run(until_done)
    return 0


def _settings(place: str) -> Path:
    """Where this run keeps its data, told to the settings before they are read."""
    var = Path(os.environ.setdefault("COPRODUCE_VAR", str(Path("var") / place))).resolve()
    return var


def _port() -> int:
    return int(os.environ.get("PORT", "8000"))


def _prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)


def _run(host: str, lines: list[str]) -> int:
    """Run the web server and one worker until stopped. A worker that dies is started again."""
    if _answers(host):
        print(f"Something else listens on port {_port()} already. Choose another: PORT=8001 ./run")
        return 2
    web = [sys.executable, "-m", "gunicorn", "coproduce.site.wsgi", "--bind", f"{host}:{_port()}"]
    web += ["--worker-class", "gthread", "--threads", "8", "--workers", os.environ.get("WEB_WORKERS", "1")]
    web += ["--log-level", "warning", "--no-control-socket"]
    worker = [sys.executable, "-m", "coproduce.cli", "worker"]
    children = {"web": subprocess.Popen(web), "worker": subprocess.Popen(worker)}

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while not _answers(host):
            if children["web"].poll() is not None:
                return 1
            time.sleep(0.1)
        print("\n".join(lines), flush=True)
        while children["web"].poll() is None:
            if children["worker"].poll() is not None:
                children["worker"] = subprocess.Popen(worker)
            time.sleep(1)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def _answers(host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as knock:
        knock.settimeout(1)
        return knock.connect_ex((host if host != "0.0.0.0" else "127.0.0.1", _port())) == 0  # nosec B104


if __name__ == "__main__":
    sys.exit(main())
