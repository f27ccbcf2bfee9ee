// A click on a column's name sorts the table by it; the page is whole without this.
for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.querySelectorAll("thead th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head));
  }
}

function sort(table, head) {
  const numeric = head.classList.contains("n");
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const order = head.getAttribute("aria-sort") === first ? second : first;
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const column = Number(head.dataset.sort);
  const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const number = (row) => (value(row) === "" ? -Infinity : Number(value(row)));
  const compare = numeric
    ? (a, b) => (number(a) === number(b) ? 0 : number(a) < number(b) ? -1 : 1)
    : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  const body = table.tBodies[0];
  const sign = order === "ascending" ? 1 : -1;
  body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
}
