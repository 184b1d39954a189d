"""JupyterHub for the course on one machine: learners' servers, the exchange, formgrader and the grader.

Started by an ordinary user, it tries the course out: everything runs in that user's account, learners are told apart by
the hub alone, and it listens on this machine only. Started by root, it is the ground of a real site: people log in with
their accounts of this machine, and the grader has an account of its own. README.md says what a site must add.

Two variables name folders: CONVNETS_HUB the hub's own, GRADER_COURSE the course's.
"""

import grp
import os
import secrets
import sys
from pathlib import Path

from jupyterhub.utils import random_port
from tornado.web import RequestHandler

c = get_config()  # noqa: F821  (given by whatever loads this file)

COURSE_ID = "convnets"
LEARNERS, INSTRUCTORS = "convnets", "convnets-instructors"  # the machine's groups on a real site

deploy = Path(__file__).resolve().parent
programs = Path(sys.prefix) / "bin"
machine_accounts = os.getuid() == 0
site = Path(os.environ.get("CONVNETS_HUB") or ("/srv/convnets" if machine_accounts else Path.home() / "convnets-hub"))
course = Path(os.environ.get("GRADER_COURSE") or deploy.parent).resolve()


def stop(reason: str) -> None:
    """End with one line."""
    sys.exit(f"deploy: {reason}")


def members(group: str) -> list[str]:
    """Return the names of those in a group of the machine."""
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        stop(
            f"this machine has no group {group}: deploy/README.md says how a real site is set up; to try the hub out, "
            "start it as an ordinary user"
        )


def password(name: str) -> str:
    """Return a password that the first start draws and keeps."""
    path = state / f"password-of-{name}"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16), encoding="ascii")
    return path.read_text(encoding="ascii")


proxy = programs / "configurable-http-proxy"
if not proxy.exists():
    stop(f"the hub's proxy {proxy.name} is missing: run scripts/setup.sh hub")
if not (course / "nbgrader_config.py").is_file() or not (course / "solutions").is_dir():
    stop(f"{course} is no course: GRADER_COURSE must name the folder that holds nbgrader_config.py and solutions/")

# --- Who is who ---------------------------------------------------------------------------------------------------

if machine_accounts:
    owner = course.owner()
    if owner == "root":
        stop(
            f"{course} belongs to root: to try the hub out, start it as an ordinary user; "
            "on a real site the course belongs to the grader's own account, see deploy/README.md"
        )
    if course.stat().st_mode & 0o077:
        stop(f"others can enter {course}, which holds solutions and scores: chmod 700 {course}")
    instructors = members(INSTRUCTORS)
    c.JupyterHub.authenticator_class = "pam"
    c.PAMAuthenticator.open_sessions = False
    c.LocalAuthenticator.allowed_groups = {LEARNERS, INSTRUCTORS}
    members(LEARNERS)
    c.JupyterHub.spawner_class = "localprocess"
else:
    owner = ""
    instructors = ["instructor"]
    c.JupyterHub.authenticator_class = "shared-password"
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(site / "homes" / "{username}")
    c.Authenticator.allow_all = True
    # Names become folders, and a + would end the student's name in nbgrader's exchange.
    c.Authenticator.username_pattern = r"[a-z][a-z0-9._-]{0,31}"
    c.Authenticator.admin_users = set(instructors)

# --- Folders ------------------------------------------------------------------------------------------------------

state, exchange = site / "state", site / "exchange"
site.mkdir(mode=0o755 if machine_accounts else 0o700, parents=True, exist_ok=True)
state.mkdir(mode=0o700, exist_ok=True)
exchange.mkdir(exist_ok=True)
exchange.chmod(0o1777)  # nbgrader wants it open to all; sticky, so that nobody removes another's folder

if not machine_accounts:
    c.SharedPasswordAuthenticator.admin_password = password("instructor")
    c.SharedPasswordAuthenticator.user_password = password("students")
    print(
        f"deploy: log in as instructor with the password {password('instructor')}, "
        f"as any student with {password('students')}",
        file=sys.stderr,
    )

# --- The hub ------------------------------------------------------------------------------------------------------

c.JupyterHub.ip = "127.0.0.1"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.ConfigurableHTTPProxy.command = [str(proxy)]
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")

# --- Learners' servers --------------------------------------------------------------------------------------------

os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"  # so that terminals find nbgrader and grader
shared = {"CONVNETS_HUB": str(site)}
if not machine_accounts:
    shared["CONVNETS_ONE_ACCOUNT"] = "1"


def config_path(whose: str) -> dict[str, str]:
    """Return where a server finds its settings: those of its kind, then those of all."""
    return {"JUPYTER_CONFIG_PATH": f"{deploy / whose}{os.pathsep}{deploy}"}


c.Spawner.cmd = [str(programs / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {**shared, **config_path("students")}

# --- The instructors' server: the course's folder with formgrader, terminals and the grader --------------------------

# JupyterHub lets no page of a server be framed, because learners' servers have the same origin: JupyterLab cannot show
# formgrader in a tab, so its menu goes without, and formgrader is opened at services/convnets/formgrader.
course_environment = {**shared, **config_path("instructors")}
if not machine_accounts:
    home = site / "grader"
    home.mkdir(exist_ok=True)
    course_environment["HOME"] = str(home)
c.JupyterHub.services = [
    {
        "name": COURSE_ID,
        "url": f"http://127.0.0.1:{random_port()}",
        "command": [str(programs / "jupyterhub-singleuser"), f"--ServerApp.root_dir={course}"],
        "cwd": str(course),
        "user": owner,
        "environment": course_environment,
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_groups = {f"formgrade-{COURSE_ID}": {"users": instructors}}
c.JupyterHub.load_roles = [
    {
        "name": "instructors",
        "groups": [f"formgrade-{COURSE_ID}"],
        "scopes": [f"access:services!service={COURSE_ID}"],
    }
]


def start_page(handler: RequestHandler) -> str:
    """Instructors begin in the course's folder, learners in their own server."""
    user = handler.current_user
    ours = user is not None and any(group.name == f"formgrade-{COURSE_ID}" for group in user.groups)
    return f"{handler.base_url}services/{COURSE_ID}/lab" if ours else ""


c.JupyterHub.default_url = start_page
