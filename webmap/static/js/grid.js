/** A matrix walked with the arrow keys: one stop for Tab, then from cell to cell. */

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function bindGrid() {
  const table = document.querySelector(".matrix table");
  if (!table) return;
  const rows = [...table.rows].map((row) => [...row.cells]);
  for (const cell of rows.flat()) for (const node of [cell, ...cell.querySelectorAll("a")]) node.tabIndex = -1;
  table.setAttribute("role", "grid");
  table.setAttribute("aria-labelledby", "matrix");
  let at = [0, 0];
  stop(rows[0][0]).tabIndex = 0;

  function move(row, column) {
    const to = [clamp(row, rows.length), clamp(column, rows[clamp(row, rows.length)].length)];
    stop(rows[at[0]][at[1]]).tabIndex = -1;
    at = to;
    const node = stop(rows[at[0]][at[1]]);
    node.tabIndex = 0;
    node.focus();
  }

  table.addEventListener("focusin", (event) => {
    const cell = event.target.closest("th, td");
    const row = rows.findIndex((cells) => cells.includes(cell));
    if (row >= 0) at = [row, rows[row].indexOf(cell)];
  });

  table.addEventListener("keydown", (event) => {
    const [row, column] = at;
    const last = rows[row].length - 1;
    if (event.key in STEPS) move(row + STEPS[event.key][0], column + STEPS[event.key][1]);
    else if (event.key === "Home") move(event.ctrlKey ? 0 : row, 0);
    else if (event.key === "End") move(event.ctrlKey ? rows.length - 1 : row, last);
    else if (event.key === "PageDown") move(row + 10, column);
    else if (event.key === "PageUp") move(row - 10, column);
    else return;
    event.preventDefault();
  });
}

/** What takes the focus in a cell: its first link, or the cell itself. */
function stop(cell) {
  return cell.querySelector("a") ?? cell;
}

function clamp(value, length) {
  return Math.min(Math.max(value, 0), length - 1);
}
