"""Try what a program that was taken over would try; runs inside a machine, under the service's own sandbox.

Prints one JSON object: what was tried, and ``done`` or the name of the error.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
PERSONALITY_READ_IMPLIES_EXEC = 0x0400000
PTRACE_TRACEME = 0
TRIED = {}


def tries(function):
    TRIED[function.__name__] = function
    return function


def call(name, *arguments):
    """Call a function of libc that sets errno."""
    if getattr(LIBC, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def read(path):
    with open(path, "rb") as file:
        file.read(1)


def write(path):
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)


for place in ("/etc/guardai", "/etc", "/usr/bin", "/var/lib", "/var/tmp/..", "/home", "/root", "/dev", "/run", "/sys"):
    TRIED[f"write {place}"] = lambda place=place: write(f"{place}/probe")
for place in ("/var/lib/oguardai", "/run/oguardai", "/tmp", "/var/tmp"):
    TRIED[f"write own {place}"] = lambda place=place: write(f"{place}/probe")
for path in ("/home/person/letter", "/root/letter", "/etc/shadow", "/dev/sda", "/dev/mem"):
    TRIED[f"read {path}"] = lambda path=path: read(path)
for path in ("/etc/guardai/oguardai.yaml", "/etc/guardai/oguardai.env"):
    TRIED[f"read own {path}"] = lambda path=path: read(path)


@tries
def connect_to_the_host():
    socket.create_connection(("127.0.0.1", 3000), 2).close()


for name in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"):
    TRIED[f"socket {name}"] = lambda name=name: socket.socket(getattr(socket, name), socket.SOCK_DGRAM).close()


@tries
def raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


@tries
def own_unix_socket():
    socket.socket(socket.AF_UNIX).close()


@tries
def see_other_processes():
    others = [name for name in os.listdir("/proc") if name.isdigit() and os.stat(f"/proc/{name}").st_uid != os.getuid()]
    if not others:
        raise PermissionError(errno.EPERM, "none")


@tries
def become_root():
    os.setuid(0)
    if os.getuid() != 0 or os.geteuid() != 0:
        raise PermissionError(errno.EPERM, "was answered, not done")


@tries
def sudo():
    if subprocess.run(["/usr/bin/sudo", "-n", "true"], capture_output=True, check=False).returncode != 0:
        raise PermissionError(errno.EPERM, "refused")


@tries
def shell():
    subprocess.run(["/bin/sh", "-c", "true"], check=True)


def run_a_program_in(folder):
    path = f"{folder}/program"
    with open(path, "w") as file:
        file.write("#!/usr/bin/python3\n")
    os.chmod(path, 0o755)  # noqa: S103
    try:
        subprocess.run([path], check=True)
    finally:
        os.unlink(path)


for place in ("/var/lib/oguardai", "/run/oguardai", "/tmp", "/var/tmp", "/dev/shm"):
    TRIED[f"run a program in {place}"] = lambda place=place: run_a_program_in(place)


@tries
def set_user_id_bit():
    with open("/tmp/setuid", "w"):
        os.chmod("/tmp/setuid", 0o4755)  # noqa: S103


@tries
def mount():
    call("mount", b"none", b"/tmp", b"tmpfs", 0, None)


@tries
def new_namespace():
    call("unshare", CLONE_NEWUSER)


@tries
def trace():
    call("ptrace", PTRACE_TRACEME, 0, 0, 0)


@tries
def set_the_clock():
    time.clock_settime(time.CLOCK_REALTIME, time.time())


@tries
def set_the_host_name():
    socket.sethostname("probe")


@tries
def change_personality():
    call("personality", PERSONALITY_READ_IMPLIES_EXEC)


@tries
def memory_to_write_and_run():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


@tries
def real_time_priority():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


@tries
def raise_a_limit():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@tries
def swap_on():
    call("swapon", b"/tmp/none", 0)


@tries
def reboot():
    call("reboot", 0)


@tries
def kernel_module():
    call("delete_module", b"none", 0)


@tries
def kernel_parameter():
    with open("/proc/sys/kernel/domainname", "w") as file:
        file.write("probe")


@tries
def kernel_log():
    call("klogctl", 3, ctypes.create_string_buffer(16), 16)


@tries
def control_group():
    os.mkdir("/sys/fs/cgroup/probe")


def attempt(function):
    try:
        function()
    except subprocess.CalledProcessError as error:
        return f"status {error.returncode}"
    except ValueError:  # Python's word for EPERM of setrlimit
        return "EPERM"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "OSError")
    return "done"


if __name__ == "__main__":
    signal.signal(signal.SIGSYS, signal.SIG_IGN)
    json.dump({name: attempt(function) for name, function in TRIED.items()}, sys.stdout)
