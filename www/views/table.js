// A table of numbers: a head for each column, and the first cell of a row its head.

/**
 * @param {string} text
 * @param {'row'|'col'} scope
 */
export function head(text, scope) {
  const cell = document.createElement('th');
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}

/** @param {string} text */
function data(text) {
  const cell = document.createElement('td');
  cell.textContent = text;
  return cell;
}

/** @param {HTMLTableCellElement[]} cells */
export function row(cells) {
  const line = document.createElement('tr');
  line.append(...cells);
  return line;
}

/**
 * @param {string} caption   '' for none
 * @param {string[]} heads
 * @param {string[][]} rows
 */
export function table(caption, heads, rows) {
  const element = document.createElement('table');
  if (caption) element.createCaption().textContent = caption;
  const lines = rows.map(([name = '', ...values]) => row([head(name, 'row'), ...values.map(data)]));
  element.append(row(heads.map((text) => head(text, 'col'))), ...lines);
  return element;
}
