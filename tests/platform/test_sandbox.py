import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits


def run(code: str, limits: SandboxLimits | None = None, given: bytes = b"") -> tuple[bytes, str | None]:
    command = SandboxedCommand([sys.executable, "-I", "-c", textwrap.dedent(code)], limits or SandboxLimits())
    with SandboxedProcess(command) as child:
        child.stdin.write(given)
        child.stdin.close()
        said = child.stdout.read()
        child.process.wait(10)
        return said, child.ended_by()


def test_a_child_speaks_over_its_pipes() -> None:
    said, ended = run("import sys; print(sys.stdin.read().upper(), end='')", given=b"hello")
    assert (said, ended) == (b"HELLO", "exit 0")


def test_memory_beyond_the_limit_is_not_given() -> None:
    code = """
        try:
            bytearray(600 << 20)
        except MemoryError:
            print("refused", end="")
    """
    assert run(code, SandboxLimits(address_space_bytes=512 << 20))[0] == b"refused"


def test_processor_time_beyond_the_limit_kills() -> None:
    assert run("while True: pass", SandboxLimits(cpu_s=1))[1] in {"signal 9", f"signal {int(signal.SIGXCPU)}"}


def test_no_file_can_be_written_and_no_core_dumped(tmp_path: object) -> None:
    code = f"""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            open({str(tmp_path) + "/made"!r}, "wb", buffering=0).write(b"x")
        except OSError as error:
            print(error.errno, resource.getrlimit(resource.RLIMIT_CORE), end="")
    """
    assert run(code)[0] == b"27 (0, 0)"


def test_neither_environment_nor_descriptors_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLEDGER_SECRET", "hidden")
    kept, other = os.pipe()
    os.set_inheritable(other, True)
    code = """
        import os
        print("AIRLEDGER_SECRET" in os.environ, sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:4], end="")
    """
    try:
        assert run(code)[0] == b"False [0, 1, 2, 3]"  # 3 is the listing itself
    finally:
        os.close(kept)
        os.close(other)


def test_a_child_has_a_group_of_its_own_and_gains_no_privileges() -> None:
    code = """
        import os
        status = open("/proc/self/status").read()
        print(os.getpgid(0) == os.getpid(), "NoNewPrivs:\\t1" in status, end="")
    """
    assert run(code)[0] == b"True True"


def test_a_child_whose_network_is_cut_reaches_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"""
            import socket, sys
            print("begun", flush=True)
            sys.stdin.read()
            try:
                socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), 5)
                print("reached", flush=True)
            except OSError:
                print("cut", flush=True)
        """
        command = SandboxedCommand([sys.executable, "-I", "-c", textwrap.dedent(code)])
        with SandboxedProcess(command) as child:
            assert child.stdout.readline() == b"begun\n"
            is_cut = child.network_is_cut()
            child.stdin.close()
            assert child.stdout.readline() == (b"cut\n" if is_cut else b"reached\n")


def test_a_crash_is_told_by_its_signal() -> None:
    assert run("import os; os.kill(os.getpid(), 11)")[1] == "signal 11"


def test_killing_is_final_and_may_be_repeated() -> None:
    child = SandboxedProcess(SandboxedCommand([sys.executable, "-c", "import time; time.sleep(60)"]))
    child.kill()
    child.kill()
    assert child.ended_by() == "signal 9"


def test_children_die_with_their_parent() -> None:
    code = """
        import sys
        from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess
        wait = "print(1, flush=True); import time; time.sleep(60)"
        child = SandboxedProcess(SandboxedCommand([sys.executable, "-c", wait]))
        child.stdout.readline()
        print(child.pid, flush=True)
        import time
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
        parent.wait(10)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)
