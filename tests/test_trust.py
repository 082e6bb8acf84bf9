"""What docs/trust.md claims, by doing what it says: its commands, its files, its certificates."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import shlex
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import KINDS

from plastogen._base.files import atomic_write, cache_dir, make_folder, read_npz
from plastogen.errors import CacheDamaged, InputError, StoreError, WorkersLost
from plastogen.experiment.resolve import open_experiment
from plastogen.experiment.validate import check
from plastogen.runs.pool import make_pool

PAGE = (Path(__file__).parents[1] / "docs" / "trust.md").read_text(encoding="utf-8")


def block(heading: str) -> str:
    """The shell commands under a heading of the page."""
    return PAGE.split(f"\n## {heading}\n")[1].split("```sh\n")[1].split("```")[0]


def exports(heading: str) -> dict[str, str]:
    """What those commands put into the environment."""
    lines = [shlex.split(line) for line in block(heading).splitlines()]
    return dict(
        word.split("=", 1) for words in lines if words[:1] == ["export"] for word in words[1:]
    )


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with ca.pem, and mine.pem and mine.key signed by it."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    today = datetime.datetime.now(datetime.UTC)
    keys = {who: ec.generate_private_key(ec.SECP256R1()) for who in ("ca", "mine")}
    for who, key in keys.items():
        made = (
            x509.CertificateBuilder()
            .subject_name(name(who))
            .issuer_name(name("ca"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=who == "ca", path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(keys["ca"], hashes.SHA256())
        )
        (tmp_path / f"{who}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (tmp_path / f"{who}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
    return tmp_path


def leaves(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """`comm.tls.ca-file` of all that nested settings set, and its value."""
    for name, value in settings.items():
        path = f"{above}{name}".replace("_", "-")
        yield from leaves(value, f"{path}.") if isinstance(value, Mapping) else [(path, value)]


def test_a_scheduler_with_the_certificates_of_the_page_is_for_those_who_have_them(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    monkeypatch.chdir(certificates)
    monkeypatch.setattr("plastogen.runs.pool.CONNECT_S", 1)
    settings = dict(leaves(dask.config.collect_env(exports("dask"))))
    assert {*settings} <= {path for path, _ in leaves(dask.config.config)}, "dask knows them all"
    command = shlex.split(block("dask").splitlines()[-1].removesuffix("&"))
    from distributed.cli.dask_scheduler import main

    assert command[:2] == ["dask", "scheduler"]
    options = main.make_context("scheduler", command[2:]).params
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            1, protocol=f"{options['protocol']}://", host="127.0.0.1", processes=False,
            security=distributed.Security(), dashboard_address="127.0.0.1:0", silence_logs=50,
        ) as cluster,
    ):  # fmt: skip
        address = cluster.scheduler_address
        assert address.startswith("tls://127.0.0.1:")
        Path(options["scheduler_file"]).write_text(json.dumps(cluster.scheduler.identity()))
        pool = make_pool("dask", 1, scheduler=options["scheduler_file"])
        assert pool.submit(pow, 2, 5).result(timeout=30) == 32
        pool.close()
        with dask.config.set(dict.fromkeys(settings)):  # somebody without them
            for where in (address, address.replace("tls", "tcp")):
                with pytest.raises(WorkersLost, match=f"at {re.escape(where)} "):
                    make_pool("dask", 1, scheduler=where)


def test_a_cache_made_as_the_page_says_is_taken_and_one_for_everybody_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, shared = block("The cache"), tmp_path / "plastogen"
    made = commands.replace("/shared/plastogen", str(shared)).replace("mylab", str(os.getgid()))
    said = subprocess.run(
        ["sh", "-ec", f'{made}echo "$PLASTOGEN_CACHE"'], capture_output=True, text=True, check=True
    ).stdout
    monkeypatch.setenv("PLASTOGEN_CACHE", said.strip())
    assert cache_dir() == shared
    make_folder(shared / "probes")
    atomic_write(shared / "probes" / "a.json", "{}")
    for path, bits in ((shared / "probes", 0o2775), (shared / "probes" / "a.json", 0o664)):
        assert stat.S_IMODE(path.stat().st_mode) == bits, "all of the group may go on with it"
    shared.chmod(0o2777)
    with pytest.raises(StoreError, match="written by everybody"):
        cache_dir()


@pytest.mark.parametrize(
    "text",
    [
        "title: !!python/object/apply:os.system [id]",
        "title: !mine x",
        "title: a\x07b",
        "course: {duration: 1000000 d}",
    ],
)
def test_a_file_holds_values_and_nothing_that_runs(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    shipped = (Path(__file__).parents[1] / "experiments" / "one_infusion.yaml").read_text("utf-8")
    key = text.partition(":")[0]
    path.write_text(re.sub(rf"^{key}:.*$", lambda _: text, shipped, flags=re.M), encoding="utf-8")
    with pytest.raises(InputError):
        check(open_experiment(path))


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_pipes_and_devices_are_no_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "mine.yaml")
    with pytest.raises(InputError):
        open_experiment(tmp_path / "mine.yaml")


def test_arrays_are_read_without_pickles(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "it_ran",))

    np.savez(tmp_path / "a.npz", x=np.array([Runs()], dtype=object))
    with pytest.raises(CacheDamaged):
        read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "it_ran").exists()


def test_every_kind_that_the_page_names_carries_a_checksum() -> None:
    """tests/test_damage.py flips a byte in each."""
    kinds = re.search(r"reads back \((.*?)\)", PAGE, re.S)
    assert kinds is not None
    named = {word.strip("` \n") for word in kinds[1].split(",")}
    held = {
        "runs": "runs/", "results.nc": "results.nc", "table.csv": "table.csv",
        "figures": "figures/", "report": "report", "asked.json": "asked.json",
    }  # fmt: skip
    assert named == {*held, "emulators"}
    for start in held.values():
        assert any(kind.startswith(start) for kind in KINDS), start
