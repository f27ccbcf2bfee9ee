// The choices above the table leave groups out; without this the page shows them all.
const form = document.querySelector("form.filter");
const entries = [...document.querySelectorAll("[data-country]")];
const shown = form.querySelector("[role=status]");

function leaveOut() {
  const wanted = [...form.elements].filter((field) => field.type !== "checkbox" || field.checked);
  for (const entry of entries) {
    entry.hidden = wanted.some((field) => field.value && entry.dataset[field.name] !== field.value);
  }
  const rows = entries.filter((entry) => entry.localName === "tr");
  shown.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} groups`;
}

form.addEventListener("input", leaveOut);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
leaveOut(); // a browser that goes back keeps what was chosen
