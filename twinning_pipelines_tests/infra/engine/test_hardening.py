"""What a container may do, and what it is told: read from the running processes, not from the file that asked for it."""

from collections.abc import Iterator

import pytest

from twinning_pipelines_tests.infra.engine import docker
from twinning_pipelines_tests.infra.engine.stack import Stack, long_runners

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

# The published images of these start as root and drop it by themselves; the compose file says so at each.
CAPABLE = {"firefly", "nextcloud", "nextcloud-cron"}
WRITABLE = CAPABLE
_STATUS = "cat /proc/1/status"
_ENVIRONMENTS = (
    'for each in /proc/[0-9]*; do tr "\\0" "\\n" <"$each/environ"; tr "\\0" " " <"$each/cmdline"; done 2>/dev/null; :'
)


def test_no_process_has_a_capability_or_may_get_one(stack: Stack) -> None:
    for name in stack.running():
        status = dict(
            line.split(":\t", 1) for line in stack.execute(name, "sh", "-c", _STATUS).splitlines() if ":\t" in line
        )
        assert status["NoNewPrivs"] == "1", name
        assert status["Seccomp"] == "2", name
        if name not in CAPABLE:
            assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, name


def test_only_the_named_run_as_root(stack: Stack) -> None:
    for name, container in stack.running().items():
        if name not in CAPABLE:
            user = container["Config"]["User"].partition(":")[0]
            assert user not in ("", "0", "root"), name


def test_the_root_of_the_file_system_refuses_a_write(stack: Stack) -> None:
    for name, container in stack.running().items():
        if name in WRITABLE:
            continue
        assert container["HostConfig"]["ReadonlyRootfs"], name
        with pytest.raises(docker.EngineFailed, match=r"(?i)read-only"):
            stack.execute(name, "sh", "-c", "touch /etc/written")


def test_memory_and_processes_are_limited_in_the_kernel(stack: Stack) -> None:
    for name in stack.running():
        memory, pids = limits(stack, name)
        assert 16 * 2**20 <= memory <= 8 * 2**30, name
        assert 10 <= pids <= 500, name


def test_no_secret_is_in_what_the_engine_tells(stack: Stack) -> None:
    told = docker.run("inspect", *(each["Id"] for each in stack.containers().values()))
    assert not leaked(stack, told)


def test_no_secret_is_in_an_environment_or_on_a_command_line(stack: Stack) -> None:
    for name in stack.running():
        assert not leaked(stack, stack.execute(name, "sh", "-c", _ENVIRONMENTS)), name


def test_no_secret_is_in_a_log(stack: Stack) -> None:
    assert not leaked(stack, stack.compose("logs", "--no-color"))


def test_a_service_sees_no_secret_but_its_own(stack: Stack) -> None:
    for name in stack.running():
        wanted = {each["source"] for each in stack.shipped["services"][name].get("secrets", [])}
        there = set(stack.execute(name, "sh", "-c", "ls /run/secrets 2>/dev/null || :").split())
        assert there == wanted, name


def test_the_password_file_of_libpq_is_for_its_owner_in_memory(stack: Stack) -> None:
    for name in ("code", "webserver", "daemon", "metrics"):
        assert stack.execute(name, "stat", "-c", "%a %u %F", "/run/twinning/pgpass") == "600 10001 regular file\n"
        assert stack.execute(name, "stat", "-f", "-c", "%T", "/run/twinning") == "tmpfs\n"


def test_what_restarts_by_itself_is_what_is_meant_to_stay(stack: Stack) -> None:
    for name in long_runners(stack.containers()):
        assert stack.containers()[name]["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", name


def limits(stack: Stack, name: str) -> tuple[int, int]:
    """The memory in bytes and the processes that the kernel grants, by either version of control groups."""
    files = {
        "memory": ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        "pids": ("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max"),
    }
    memory, pids = (stack.execute(name, "sh", "-c", f"cat {a} 2>/dev/null || cat {b}") for a, b in files.values())
    return int(memory), int(pids)


def leaked(stack: Stack, text: str) -> list[str]:
    """The names of the secrets whose values stand in a text."""
    return list(_found(stack, text))


def _found(stack: Stack, text: str) -> Iterator[str]:
    for name, value in stack.secrets.items():
        if value in text:
            yield name
