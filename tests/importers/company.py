"""A made-up company of two people in the source's file layout, small enough to break one thing at a time."""

from __future__ import annotations

from pathlib import Path

DAY = "2022-01-01 00:00:00.000"
TABLES = {
    "hr/Employee.tsv": [
        ["1", "11", r"c\ann", "", "", "Purchasing Manager", *["x"] * 10],
        ["2", "22", r"c\bo", "58", "1", "Buyer", *["x"] * 10],
    ],
    "hr/Department.tsv": [["4", "Marketing", "Sales", DAY], ["5", "Purchasing", "Inventory Management", DAY]],
    "hr/Shift.tsv": [["1", "Day", "07:00", "15:00", DAY]],
    "hr/EmployeeDepartmentHistory.tsv": [
        ["1", "4", "1", "2019-03-01", "2020-06-30", DAY],
        ["1", "5", "1", "2020-07-01", "", DAY],
        ["2", "5", "1", "2021-02-01", "2023-12-31", DAY],
    ],
    "purchasing/Vendor.tsv": [["1492", "AUSTRALI0001", "Australia Bike Retailer", "1", "1", "1", "", DAY]],
    "purchasing/Product.tsv": [["359", "Thin-Jam Hex Nut 9", "HJ-5161", "0"], ["1", "Adjustable Race", "AR-5381"]],
    "purchasing/PurchaseOrderHeader.tsv": [
        ["8", "5", "4", "2", "1492", "3", DAY, "2022-05-02 00:00:00.000", "120.5000", "1", "1", "122.5", DAY],
        ["7", "5", "3", "1", "1492", "3", DAY, "2022-04-24 00:00:00.000", "45.1234", "1", "1", "47.1", DAY],
    ],
    "purchasing/PurchaseOrderDetail.tsv": [
        ["8", "2", DAY, "3", "359", "1", "1", "3.00", "1.00", "2.00", DAY],
        ["7", "1", DAY, "5", "1", "1", "1", "5.00", ".00", "5.00", DAY],
    ],
}


def write(folder: Path, file: str = "", rows: list[list[str]] | None = None) -> Path:
    """Writes the company's tables into `folder`, with `rows` in the place of `file`'s own."""
    for name, table in (TABLES | ({file: rows} if rows is not None else {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join("\t".join(row) + "\n" for row in table), encoding="utf-8")
    return folder


def changed(file: str, row: int, column: int, value: str) -> list[list[str]]:
    """The rows of `file` with one field replaced."""
    rows = [list(fields) for fields in TABLES[file]]
    rows[row][column] = value
    return rows
