"""The container rows: one image made from Debian's busybox-static, and the engines that start it.

Docker is the engine that runs already; with `with_docker`, where none runs, a dockerd of its own is started with all
its files below the working directory, and ended with the benchmark. podman, crun and runc are used where they are
present; podman's storage is in the working directory too.
"""

import gzip
import itertools
import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from measure import MeasureError, last_line
from rows import GREETING, Artefact, file_size, find, version_of

IMAGE = "localhost/tfvm-startup-hello"
LABEL = "tfvm-startup"
COMMAND = ["/bin/echo", GREETING]
START_SECONDS = 60
DOCKER_PROGRAMS = ["docker", "dockerd", "containerd", "containerd-shim-runc-v2", "runc"]
# What podman asks for by itself is more than some sandboxes let root have.
PODMAN_LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]


def prepare_containers(rows, commands, launcher, settings, cleanup):
    """Sets the commands of the container rows or the reason why not; `cleanup` is an ExitStack that undoes it all."""
    groups = {"docker": prepare_docker, "podman": prepare_podman, "crun": prepare_oci, "runc": prepare_oci}
    container_rows = [row for row in rows if row.kind == "container"]
    if settings.without_containers:
        for row in container_rows:
            row.skipped = settings.without_containers
        return
    for engine, prepare in groups.items():
        mine = [row for row in container_rows if row.name.split()[0] == engine]
        try:
            image = Image(settings.work)
            for row in mine:
                row.artefact = image.artefact
            prepare(mine, engine, commands, image, launcher, settings, cleanup)
        except (MeasureError, OSError) as error:
            for row in mine:
                row.skipped = str(error)


class Image:
    """A root file system with busybox, as a folder and as a tar file for `import`."""

    def __init__(self, directory):
        self.root = directory / "image"
        self.tar = directory / "image.tar"
        binary = find_busybox()
        (self.root / "bin").mkdir(parents=True, exist_ok=True)
        for folder in ("dev", "proc", "sys", "tmp", "etc"):
            (self.root / folder).mkdir(exist_ok=True)
        shutil.copy(binary, self.root / "bin" / "busybox")
        echo = self.root / "bin" / "echo"
        if not echo.is_symlink():
            echo.symlink_to("busybox")
        with tarfile.open(self.tar, "w") as archive:
            archive.add(self.root, arcname=".")
        data = self.tar.read_bytes()
        self.artefact = Artefact("image", len(data), len(gzip.compress(data, 9, mtime=0)))


def find_busybox():
    try:
        return find("busybox")
    except MeasureError as error:
        raise MeasureError("no busybox for the image (Debian: busybox-static)") from error


def call(words):
    """Runs a command of the set-up; its output, or MeasureError with the last line of its errors."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise MeasureError(f"{Path(words[0]).name} {words[-1]}: {last_line(done.stderr)}")
    return done.stdout.strip()


# ---- Docker ----------------------------------------------------------------------------------------------------------


def prepare_docker(rows, engine, commands, image, launcher, settings, cleanup):
    docker = find_engine(commands.get(engine), settings, cleanup)
    changes = ["--change", "CMD " + json.dumps(COMMAND)]
    call([*docker, "import", *changes, str(image.tar), IMAGE])
    cleanup.callback(remove_docker_leftovers, docker)
    reused = call([*docker, "create", "--label", LABEL, IMAGE])
    settings.docker = Docker(docker)
    command_lines = {
        "docker run": ["run", "--label", LABEL, IMAGE],
        "docker run --rm": ["run", "--rm", "--label", LABEL, IMAGE],
        "docker start -a": ["start", "-a", reused],
    }
    version = call([*docker, "version", "--format", "{{.Server.Version}}"])
    for row in rows:
        row.command = docker + command_lines[row.name]
        row.version = f"Docker engine {version}"
        row.runtime_size = sum(map(file_size, DOCKER_PROGRAMS))


class Docker:
    """An engine with the image, for measurements that need more of it than the rows."""

    image, label = IMAGE, LABEL

    def __init__(self, words):
        self.words = words

    def call(self, *arguments):
        """Runs a docker command; its output, or MeasureError."""
        return call([*self.words, *arguments])


def find_engine(given, settings, cleanup):
    """The docker command line for an engine that answers: the running one, else one of our own when asked for."""
    docker = given or [shutil.which("docker")]
    if docker[0] and subprocess.run([*docker, "version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                    check=False).returncode == 0:
        return docker
    if not settings.with_docker:
        raise MeasureError("no engine runs here; --with-docker starts one")
    if os.geteuid() != 0:
        raise MeasureError("no engine runs here, and starting one needs root")
    return start_engine(settings.work / "docker", cleanup)


def start_engine(directory, cleanup):
    daemon = find("dockerd")
    beside = Path("/usr/bin/docker")  # the client of the same package, if another one comes first on PATH
    client = str(beside) if beside.exists() else find("docker")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    socket = f"unix://{directory}/docker.sock"
    words = [daemon, "--bridge=none", "--iptables=false", "--data-root", f"{directory}/data", "--exec-root",
             f"{directory}/exec", "--pidfile", f"{directory}/pid", "-H", socket]
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    cleanup.callback(stop_engine, process, directory)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        done = subprocess.run([client, "-H", socket, "version"], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        if done.returncode == 0:
            return [client, "-H", socket]
        time.sleep(0.2)
    log_line = last_line((directory / "log").read_text(errors="replace"))
    raise MeasureError(f"dockerd does not start: {log_line[:160]}")


def stop_engine(process, directory):
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(directory, ignore_errors=True)


def remove_docker_leftovers(docker):
    listed = subprocess.run([*docker, "ps", "-aq", "--filter", f"label={LABEL}"], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, check=False).stdout.split()
    for words in ([["rm", "-f", *listed]] if listed else []) + [["rmi", IMAGE]]:
        subprocess.run([*docker, *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def note_engine_memory(rows):
    """Says beside Docker's rows what the client's own peak leaves out: the engine's daemons, at their peak."""
    peaks_kib = {}
    for process in Path("/proc").iterdir():
        try:
            name = (process / "comm").read_text().strip()
            if name in ("dockerd", "containerd"):
                status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
                peaks_kib[name] = max(peaks_kib.get(name, 0), int(status["VmHWM"].split()[0]))
        except (OSError, KeyError, ValueError):
            continue  # not a process, or one that ended
    text = " and ".join(f"{name} {peak * 1024 / 1e6:.0f} MB" for name, peak in sorted(peaks_kib.items()))
    for row in rows:
        if row.name.startswith("docker") and row.runs:
            row.note = "memory and CPU are the client's" + (f"; besides it {text}" if text else "")


# ---- podman, crun, runc ----------------------------------------------------------------------------------------------


def prepare_podman(rows, engine, commands, image, launcher, settings, cleanup):
    """Takes the first combination of low-level runtime and limits that works here: podman's own, if they do."""
    podman = commands.get(engine) or [find("podman")]
    storage = settings.work / "podman"
    cleanup.callback(shutil.rmtree, storage, ignore_errors=True)
    podman = [*podman, "--root", f"{storage}/root", "--runroot", f"{storage}/runroot", "--cgroup-manager", "cgroupfs"]
    call([*podman, "import", "--quiet", str(image.tar), IMAGE])
    runtimes = [[]] + [["--runtime", path] for path in [shutil.which("runc"), shutil.which("crun")] if path]
    reason = None
    for runtime, limits in itertools.product(runtimes, [[], PODMAN_LIMITS]):
        row = rows[0]
        row.command = [*podman, *runtime, "run", "--rm", "--network", "none", *limits, IMAGE, *COMMAND]
        try:
            launcher.run(row)
        except MeasureError as error:
            reason = reason or error
            continue
        row.version = version_of([podman[0], "--version"])
        if runtime:
            row.version += f" with {Path(runtime[1]).name}"
        row.runtime_size = file_size(podman[0]) + file_size("conmon") + file_size(runtime[1] if runtime else "crun")
        return
    raise reason


def prepare_oci(rows, engine, commands, image, launcher, settings, cleanup):
    """crun and runc start a bundle: a folder with config.json and the root file system."""
    program = commands.get(engine) or [find(engine)]
    if os.geteuid() != 0:
        raise MeasureError("needs root as it is called here")
    bundle = settings.work / f"bundle-{engine}"
    shutil.rmtree(bundle, ignore_errors=True)
    shutil.copytree(image.root, bundle / "rootfs", symlinks=True)
    (bundle / "config.json").write_text(json.dumps(bundle_config(), indent=1))
    row = rows[0]
    row.command = [*program, "--root", f"{bundle}/state", "run", "--bundle", str(bundle), f"{LABEL}-{engine}"]
    row.version = version_of([program[0], "--version"])
    row.runtime_size = file_size(program[0])
    launcher.run(row)


def bundle_config():
    """The runtime specification of the greeting: the namespaces and masked paths that `runc spec` proposes."""
    nodev = ["nosuid", "noexec", "nodev"]
    mounts = [("/proc", "proc", "proc", []), ("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=65536k"]),
              ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
              ("/dev/shm", "tmpfs", "shm", nodev), ("/dev/mqueue", "mqueue", "mqueue", nodev),
              ("/sys", "sysfs", "sysfs", [*nodev, "ro"])]
    return {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": COMMAND, "env": ["PATH=/bin"],
                    "cwd": "/", "capabilities": {}, "noNewPrivileges": True},
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "hello",
        "mounts": [{"destination": place, "type": kind, "source": source, "options": options}
                   for place, kind, source, options in mounts],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }
