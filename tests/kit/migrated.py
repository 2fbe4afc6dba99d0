"""A SQLite database with every migration applied, made once and copied: to migrate takes longer than most tests."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_APPS = ("ocpi", "roaming", "cpo_backend")


def migrated(directory: Path) -> Path:
    """The database, in `directory`; whoever comes first makes it, other processes wait. Not to be written to."""
    found = directory / f"{_fingerprint()}.sqlite3"
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            for outdated in directory.glob("*.sqlite3"):
                outdated.unlink()
            making = directory / "making"
            making.unlink(missing_ok=True)
            environment = {**os.environ, "DATABASE_URL": f"sqlite:///{making}", "REDIS_URL": ""}
            command = [sys.executable, "manage.py", "migrate", "-v", "0"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            making.rename(found)
    return found


def _fingerprint() -> str:
    """Of what the database follows from: our migrations, and the packages that have some of their own."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for app in _APPS:
        for file in sorted((ROOT / app / "migrations").glob("*.py")):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]
