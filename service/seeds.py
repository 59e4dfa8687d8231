"""Write the taxonomy and regions of `seeds/` into the database. Running it again changes nothing but corrections."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import orjson

from service.kit.db import Connection
from service.regions import service as regions
from service.settings import SEEDS
from service.taxonomy import service as taxonomy


async def load(connection: Connection, folder: Path = SEEDS) -> None:
    """Fields, industries, code lists, regions and partner pairs, in one transaction of the owner."""
    await taxonomy.upsert_fields(connection, _json(folder / "taxonomy" / "fields.json"))
    await taxonomy.upsert_industries(connection, _json(folder / "taxonomy" / "industries.json"))
    for name, entries in _json(folder / "taxonomy" / "codes.json").items():
        await taxonomy.upsert_codes(connection, name, [entry | {"code": str(entry["code"])} for entry in entries])
    await regions.upsert_regions(connection, _csv(folder / "regions" / "regions.csv"))
    await regions.insert_pairs(connection, _csv(folder / "regions" / "partner_pairs.csv"))


def digest(folder: Path = SEEDS) -> str:
    """SHA-256 over the files that `load` reads."""
    total = hashlib.sha256()
    for part in ("taxonomy", "regions"):
        for file in sorted((folder / part).iterdir()):
            total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()


def _json(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
