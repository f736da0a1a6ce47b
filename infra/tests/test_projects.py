"""Several projects on one platform: each has a place of its own, and keeps it."""

from pathlib import Path

import pytest
import yaml

from infra import configuration, programs, projects
from infra.errors import PlatformError
from infra.platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    state = tmp_path / "state"
    state.mkdir()
    return Platform(Path(__file__).resolve().parents[2], state, 18000)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("shop", "stall", "kiosk")}
    for folder in found.values():
        (folder / "sample").mkdir(parents=True)
        (folder / "sample" / "__main__.py").touch()
    return found


def test_a_platform_without_projects_has_none(platform: Platform):
    assert projects.read(platform) == ()


def test_each_has_its_own_programs_and_port(platform: Platform, folders: dict[str, Path]):
    for name, folder in folders.items():
        projects.add(platform, name, folder, ingests=name == "stall")
    running = projects.read(platform)
    assert len({one.code_port(platform) for one in running}) == 3
    names = [program.name for program in programs.all_programs(platform, running)]
    assert len(names) == len(set(names))
    assert {"dagster-code", "dagster-code-stall", "dagster-code-kiosk", "sample", "sample-stall", "sample-kiosk"} < set(names)
    assert [name for name in names if "ingestion" in name] == ["ingestion-stall"]
    assert programs.port(platform, "ingestion-stall") == running[1].ingestion_port(platform)
    assert programs.port(platform, "dagster-code-stall") == running[1].code_port(platform)
    locations = yaml.safe_load(configuration.workspace(platform, running))["load_from"]
    assert [one["grpc_server"]["location_name"] for one in locations] == ["shop", "stall", "kiosk"]


def test_a_place_is_kept_and_a_free_one_is_used_again(platform: Platform, folders: dict[str, Path]):
    shop, stall = (projects.add(platform, name, folders[name]) for name in ("shop", "stall"))
    assert projects.add(platform, "stall", folders["kiosk"]).place == stall.place
    projects.remove(platform, "shop")
    assert projects.add(platform, "kiosk", folders["kiosk"]).place == shop.place


def test_what_editors_leave_behind_changes_no_program(platform: Platform, folders: dict[str, Path]):
    (folders["shop"] / "consumers").mkdir()
    projects.add(platform, "shop", folders["shop"])
    before = programs.all_programs(platform, projects.read(platform))
    (folders["shop"] / "consumers" / ".#desk.yaml").symlink_to("nowhere")
    (folders["shop"] / "consumers" / "._desk.yaml").write_bytes(b"\xe9")
    assert programs.all_programs(platform, projects.read(platform)) == before
    (folders["shop"] / "consumers" / "desk.yaml").write_bytes(b"# caf\xe9")
    assert "consumer-shop-desk" in {one.name for one in programs.all_programs(platform, projects.read(platform))}


@pytest.mark.parametrize("room", ["consumers", "ingestion", "orchestration", "project"])
def test_new_code_of_ours_restarts_every_program_that_has_read_it(room: str, platform: Platform, folders: dict[str, Path], tmp_path: Path):
    checkout = Platform(tmp_path / "checkout", platform.state)
    for name in ("consumers", "ingestion", "orchestration", "project"):
        (checkout.root / name).mkdir(parents=True)
        (checkout.root / name / "__init__.py").touch()
    projects.add(platform, "shop", folders["shop"], ingests=True, encoders=["routing-avro"])
    before = programs.all_programs(checkout, projects.read(platform))
    (checkout.root / room / "new.py").touch()
    changed = {one.name for one in programs.all_programs(checkout, projects.read(platform)) if one not in before}
    assert changed == {"dagster-code", "ingestion", "consumer-shop-routing-avro"}


def test_a_folder_that_is_gone_is_told(platform: Platform, folders: dict[str, Path], tmp_path: Path):
    projects.add(platform, "shop", folders["shop"])
    folders["shop"].rename(tmp_path / "moved")
    with pytest.raises(PlatformError, match=r"project shop ran on this platform from .*/shop, which is gone; put it back, or remove"):
        projects.read(platform)


def test_the_schema_registry_runs_while_a_project_writes_avro(platform: Platform, folders: dict[str, Path]):
    def named() -> set[str]:
        return {program.name for program in programs.all_programs(platform, projects.read(platform))}

    projects.add(platform, "shop", folders["shop"])
    assert not named() & {"registry", "consumer-shop-routing-avro"}
    projects.add(platform, "shop", folders["shop"], encoders=["routing-avro"])
    assert named() >= {"registry", "consumer-shop-routing-avro"}
    projects.add(platform, "shop", folders["shop"])
    assert "registry" not in named()
