"""The `coproduce` command: try it, serve it, work its queue, keep it safe, give or erase a person's own."""

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
TOWN = "this-is-the-demo-town"  # a file of this name marks a data folder that holds nobody's own words


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="coproduce", description="Everyone who spoke hears what changed.")
    verbs = parser.add_subparsers(dest="verb", metavar="")
    demo = verbs.add_parser("demo", help="start the made-up town, with sign-in links, on this machine only")
    demo.add_argument("--fresh", action="store_true", help="throw the town away and build it again first")
    verbs.add_parser("serve", help="start it for a group of your own")
    worker = verbs.add_parser(
        "worker", help="work the queue: send emails, make letters, take in long stories"
    )
    worker.add_argument("--until-done", action="store_true", help="stop when the queue is empty")
    administrator = verbs.add_parser(
        "administrator", help="make somebody one, who sees how it runs and reads no words"
    )
    administrator.add_argument("email", metavar="EMAIL")
    administrator.add_argument("--name", default="", help="what they like to be called, if they are new here")
    administrator.add_argument("--end", action="store_true", help="they are not one any more")
    lost = verbs.add_parser(
        "second-step", help="take it away from somebody who lost their phone and their spare codes"
    )
    lost.add_argument("email", metavar="EMAIL")
    backup = verbs.add_parser("backup", help="keep everything in one file, to be put somewhere safe")
    backup.add_argument("file", metavar="FILE.zip", type=Path)
    restore = verbs.add_parser("restore", help="put a backup back, without whoever was erased since")
    restore.add_argument("file", metavar="FILE.zip", type=Path)
    restore.add_argument("--yes", action="store_true", help="don't ask before what is here now is replaced")
    restore.add_argument("--force", action="store_true", help="also while it is being served")
    export = verbs.add_parser("export-person", help="write down everything that is kept about one person")
    export.add_argument("person", metavar="ID|EMAIL")
    export.add_argument("folder", metavar="DIR", type=Path)
    erase = verbs.add_parser("erase-person", help="take a person out of everything. There is no way back")
    erase.add_argument("person", metavar="ID|EMAIL")
    erase.add_argument("--keep-words", action="store_true", help="keep their words, without their name")
    erase.add_argument("--yes", action="store_true", help="don't ask")
    manage = verbs.add_parser(
        "manage", help="a Django command, such as `coproduce manage migrate`", add_help=False
    )
    manage.add_argument("rest", nargs=argparse.REMAINDER)
    asked = parser.parse_args(arguments)
    os.umask(0o077)  # what is kept here is for nobody else on this machine
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coproduce.site.settings")
    if not os.environ.get("PORT", "8000").isdecimal():
        print(f"PORT has to be a number such as 8001, not {os.environ['PORT']!r}.")
        return 2
    if asked.verb == "serve":
        return serve()
    if asked.verb == "worker":
        return work(asked.until_done)
    if asked.verb == "administrator":
        return administrate(asked.email, asked.name, asked.end)
    if asked.verb == "second-step":
        return lost_second_step(asked.email)
    if asked.verb in ("backup", "restore", "export-person", "erase-person"):
        return keep(asked)
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
    if _taken(host):
        return 2
    var = _settings("demo")
    town = var / TOWN
    if not town.exists() and var.exists() and any(var.iterdir()):
        print(f"{var} holds the data of a group, so the town will not go there.")
        print("For the group use: ./run serve. For the town, leave COPRODUCE_VAR unset.")
        return 2
    if fresh:
        shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    town.touch()
    os.environ["COPRODUCE_TRY_IT"] = "1"
    _prepare()
    from coproduce.site import demo
    from coproduce.site.try_it import sign_in_links

    demo.load_once()
    address = f"http://localhost:{_port()}"
    lines = ["", "The town is open. Sign in as:"]
    lines += [f"  {name:<12} {address}{path}\n{'':15}{about}" for name, about, path in sign_in_links()]
    lines += [
        "",
        f"Emails become files in {var / 'mail'}, texts in {var / 'texts'}",
        "Stop with Ctrl+C.",
        "",
        address,
    ]
    return _run(host, lines)


def serve() -> int:
    """For a group of your own: empty at first, and leads through setting up."""
    host = os.environ.get("HOST", "127.0.0.1")
    if _taken(host):
        return 2
    if (var := _settings("group")) and (var / TOWN).exists():
        print(f"{var} holds the demo town. Give your group a folder of its own: COPRODUCE_VAR=… ./run serve")
        return 2
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
    if host not in LOOPBACK and not settings.ADDRESS:
        lines += [
            f"It listens on {host}, but answers only to the name localhost.",
            "Set COPRODUCE_ADDRESS to the address that people type (see README.md).",
            "",
        ]
    return _run(host, [*lines, address])


def work(until_done: bool = False) -> int:
    var = _settings("group")
    import django

    django.setup()
    from django.db import connection

    from coproduce.site import worker
    from coproduce.site.models import Worker

    if Worker._meta.db_table not in connection.introspection.table_names():
        print(f"There is nothing to work on yet in {var}. Start ./run serve first.")
        return 2
    worker.run(until_done)
    return 0


def administrate(email: str, name: str = "", end: bool = False) -> int:
    """Make an administrator, or end one. Whoever sits at the machine may: they hold all of it anyway."""
    if not _set_up_here():
        return 2
    from django.core.exceptions import ValidationError

    from coproduce.people import actions

    try:
        person = actions.end_administrator(email) if end else actions.make_administrator(email, name)
    except ValidationError as refused:
        print(" ".join(refused.messages))
        return 2
    print(
        f"{person.name} is no administrator any more." if end else f"{person.name} is an administrator now."
    )
    return 0


def lost_second_step(email: str) -> int:
    """For the last person who could let others back in."""
    if not _set_up_here():
        return 2
    from coproduce.people import actions
    from coproduce.people.models import Account

    account = Account.objects.filter(email__iexact=email).select_related("person").first()
    if account is None:
        print("Nobody signs in with this address.")
        return 2
    actions.take_second_step_away(None, account.person)
    print(f"{account.person.name} signs in with a code by email alone, once, and chooses a new second step.")
    return 0


def _set_up_here() -> bool:
    """Whether there is a database to work on; says so if not."""
    var = _settings("group")
    import django

    django.setup()
    from django.db import connection

    from coproduce.people.models import Account

    if there := Account._meta.db_table in connection.introspection.table_names():
        return True
    print(f"There is nothing here yet in {var}. Start ./run serve first.")
    return there


def keep(asked: argparse.Namespace) -> int:
    """What whoever runs an installation does with all of it, or with all of one person."""
    var = _settings("group")
    import django

    django.setup()
    from coproduce.site import keeping

    if not keeping.is_set_up() and asked.verb != "restore":
        print(f"There is nothing in {var} yet. Start ./run serve first.")
        return 2
    try:
        if asked.verb == "backup":
            return keeping.say_backup(asked.file)
        if asked.verb == "restore":
            served = any(_answers(host) for host in {os.environ.get("HOST", "127.0.0.1"), "127.0.0.1"})
            return keeping.say_restore(asked.file, served and not asked.force, asked.force, asked.yes)
        if asked.verb == "export-person":
            return keeping.say_export(asked.person, asked.folder)
        return keeping.say_erase(asked.person, asked.keep_words, asked.yes)
    except keeping.Refused as refused:
        print(refused)
        return 2


def _settings(place: str) -> Path:
    """Where this run keeps its data, told to the settings before they are read."""
    var = Path(os.environ.get("COPRODUCE_VAR") or Path("var") / place).resolve()
    os.environ["COPRODUCE_VAR"] = str(var)
    if (var / TOWN).exists():  # also for a worker started by hand: nobody in the town gets real emails
        os.environ["COPRODUCE_TRY_IT"] = "1"
    return var


def _port() -> int:
    return int(os.environ.get("PORT", "8000"))


def _prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    from coproduce.site import erase

    for erasure in erase.replay():  # somebody put an older database back by hand
        erase.clean_up(erasure)


def _run(host: str, lines: list[str]) -> int:
    """Run the web server and one worker until stopped. A worker that dies is started again."""
    web = [sys.executable, "-m", "gunicorn", "coproduce.site.wsgi", "--bind", f"{_bracketed(host)}:{_port()}"]
    web += ["--worker-class", "gthread", "--threads", "8", "--workers", os.environ.get("WEB_WORKERS", "1")]
    web += ["--log-level", "warning", "--graceful-timeout", "5", "--no-control-socket"]
    worker = [sys.executable, "-m", "coproduce.cli", "worker"]
    children: dict[str, subprocess.Popen[bytes]] = {}

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not started by nohup
        signal.signal(signal.SIGHUP, stop)
    try:
        # In sessions of their own: Ctrl+C reaches only us. A worker that is told twice to stop drops its job.
        children["web"] = subprocess.Popen(web, start_new_session=True)
        children["worker"] = subprocess.Popen(worker, start_new_session=True)
        while not _answers(host):
            if children["web"].poll() is not None:
                return 1
            time.sleep(0.1)
        print("\n".join(lines), flush=True)
        while children["web"].poll() is None:
            if children["worker"].poll() is not None:
                children["worker"] = subprocess.Popen(worker, start_new_session=True)
            time.sleep(1)
        print("The web server stopped by itself. What it said last is above.")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:  # a job that takes long: the next worker does it again
                child.kill()
                child.wait()


def _taken(host: str) -> bool:
    """Say so if something else listens where we want to."""
    if taken := _answers(host):
        print(f"Something else listens on port {_port()} already. Choose another: PORT={_port() + 1} ./run")
    return taken


def _answers(host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as knock:
        knock.settimeout(1)
        return knock.connect_ex(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), _port())) == 0  # nosec B104


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
