import subprocess
import sys


def test_importing_the_engine_s_package_and_its_command_loads_neither_numba_nor_scipy() -> None:
    code = (
        "import sys, airledger.fingerprint, airledger.fingerprint.params, airledger.cli.fingerprint\n"
        "print(sorted({'numba', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
