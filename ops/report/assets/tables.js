// Tables are sorted by the column whose heading is pressed.

// Exact: decimals of up to 18 places become whole numbers of any size.
function scaled(text) {
  const [whole, fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(18, "0"));
}

function sortable(heading) {
  const button = heading.querySelector("button");
  const [table, column] = [heading.closest("table"), heading.cellIndex];
  const key = button.dataset.kind === "number" ? scaled : (text) => text;
  button.addEventListener("click", () => {
    const sign = heading.ariaSort === "ascending" ? -1 : 1;
    const rows = [...table.tBodies[0].rows].map((row) => [key(row.cells[column].textContent), row]);
    rows.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
    for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
    heading.ariaSort = sign > 0 ? "ascending" : "descending";
    table.tBodies[0].append(...rows.map(([, row]) => row));
  });
}
